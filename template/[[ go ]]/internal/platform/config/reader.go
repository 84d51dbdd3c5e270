package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// reader reads typed variables and keeps the first error, which never holds the value: it may be a secret.
type reader struct {
	getenv func(string) string
	err    error
}

func (r *reader) fail(name, must string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s", name, must)
	}
}

func (r *reader) ip(name, preset string) netip.Addr {
	value := r.getenv(name)
	if value == "" {
		value = preset
	}
	address, err := netip.ParseAddr(value)
	if err != nil {
		r.fail(name, "must be an IP address")
	}
	return address
}

func (r *reader) integer(name string, preset, low, high int) int {
	value := r.getenv(name)
	if value == "" {
		return preset
	}
	number, err := strconv.ParseUint(value, 10, 31) // unsigned: refuses a sign, also a plus
	if err != nil || int(number) < low || int(number) > high {
		r.fail(name, fmt.Sprintf("must be an integer from %d to %d", low, high))
	}
	return int(number)
}

func (r *reader) level(name string, preset slog.Level) slog.Level {
	switch r.getenv(name) {
	case "":
		return preset
	case "debug":
		return slog.LevelDebug
	case "info":
		return slog.LevelInfo
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	r.fail(name, "must be one of debug, info, warn, error")
	return preset
}

// url returns nil where neither the variable nor the preset is set.
func (r *reader) url(name, preset string) *url.URL {
	value := r.getenv(name)
	if value == "" {
		value = preset
	}
	if value == "" {
		return nil
	}
	parsed, err := url.Parse(value)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Hostname() == "" || parsed.User != nil || strings.Contains(value, " ") {
		r.fail(name, "must be an absolute http or https URL")
	}
	return parsed
}

// baseURL is a url that paths can be appended to.
func (r *reader) baseURL(name, preset string) *url.URL {
	if strings.ContainsAny(r.getenv(name), "?#") {
		r.fail(name, "must be an absolute http or https URL")
	}
	return r.url(name, preset)
}
