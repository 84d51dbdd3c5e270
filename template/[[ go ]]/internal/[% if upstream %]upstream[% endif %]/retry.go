package upstream

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"
)

// retry makes an attempt, and more while they fail in a way that may pass.
func (c *Client) retry(ctx context.Context, attempt func() (answer, error)) (got answer, err error) {
	for n := 0; ; n++ {
		got, err = attempt()
		if n == c.retries || (err == nil && !mayPass(got.status)) {
			return got, err
		}
		select {
		case <-ctx.Done(): // the caller is gone
			return answer{}, ctx.Err()
		case <-time.After(wait(n)):
		}
	}
}

func mayPass(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// wait is exponential with full jitter: clients that failed together do not come back together.
func wait(n int) time.Duration {
	ceiling := min(time.Second, 50*time.Millisecond<<n)
	return rand.N(ceiling + 1) //nolint:gosec // not a secret
}
