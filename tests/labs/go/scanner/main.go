// Command scanner is the stand-in for BuildKit's syft scanner: it speaks BuildKit's scanner protocol and lets syft do the work.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	if err := scanAll(); err != nil {
		fmt.Fprintln(os.Stderr, "scanner:", err)
		os.Exit(1)
	}
}

// scanAll scans the image and, where BuildKit hands them over, the build stages.
func scanAll() error {
	if err := scan(os.Getenv("BUILDKIT_SCAN_SOURCE"), "sbom"); err != nil {
		return err
	}
	extras := os.Getenv("BUILDKIT_SCAN_SOURCE_EXTRAS")
	if extras == "" {
		return nil
	}
	stages, err := os.ReadDir(extras)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if err := scan(filepath.Join(extras, stage.Name()), "sbom-"+stage.Name()); err != nil {
			return err
		}
	}
	return nil
}

// scan writes one in-toto statement with the SPDX document of a file tree. BuildKit fills in the subject.
func scan(source, name string) error {
	// What is installed, as in an image; in a folder syft would look for lock files.
	syft := exec.Command("/bin/syft", "scan", "dir:"+source, "--override-default-catalogers", "image", "--quiet", "--output", "spdx-json", "--source-name", name)
	syft.Env = append(os.Environ(), "SYFT_CHECK_FOR_APP_UPDATE=false")
	syft.Stderr = os.Stderr
	document, err := syft.Output()
	if err != nil {
		return fmt.Errorf("syft: %w", err)
	}
	statement, err := json.Marshal(map[string]any{
		"_type":         "https://in-toto.io/Statement/v0.1",
		"predicateType": "https://spdx.dev/Document",
		"subject":       []any{},
		"predicate":     json.RawMessage(document),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(os.Getenv("BUILDKIT_SCAN_DESTINATION"), name+".spdx.json"), statement, 0o644)
}
