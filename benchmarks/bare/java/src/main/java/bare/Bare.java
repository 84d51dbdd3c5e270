package bare;

import java.time.Instant;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** A bare Spring Boot service: what the Java service is measured against. */
@SpringBootApplication
@RestController
public class Bare {
  private final Instant created = Instant.now();

  record Item(String id, String name, int quantity, Instant createdAt) {}

  @GetMapping("/readyz")
  Map<String, String> ready() {
    return Map.of("status", "ready");
  }

  @GetMapping("/items/{id}")
  Item read(@PathVariable String id) {
    return new Item(id, "first", 3, created);
  }

  public static void main(String[] args) {
    SpringApplication.run(Bare.class, args);
  }
}
