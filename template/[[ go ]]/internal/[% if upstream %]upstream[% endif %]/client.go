// Package upstream calls the service that this one depends on. It belongs to the example.
package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// Client asks the upstream, again where that may help.
type Client struct {
	base    *url.URL
	http    *http.Client
	timeout time.Duration // of one attempt
	retries int           // attempts after the first
}

// New returns a client for the API below base.
func New(base *url.URL, timeout time.Duration, retries int) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // nothing here replaces it
	transport.MaxIdleConnsPerHost = transport.MaxIdleConns       // there is only one host
	return &Client{
		base: base,
		http: &http.Client{
			Transport: otelhttp.NewTransport(transport), // a span of each attempt, and the traceparent header
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
		timeout: timeout,
		retries: retries,
	}
}

// ItemExists tells whether the upstream knows the item.
func (c *Client) ItemExists(ctx context.Context, id uuid.UUID) (bool, error) {
	address := c.base.JoinPath("v1", "items", id.String()).String()
	status, err := c.retry(ctx, func() (int, error) { return c.get(ctx, address) })
	switch {
	case err != nil:
		return false, err
	case status == http.StatusOK:
		return true, nil
	case status == http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("upstream answered %d", status)
}

// get is one attempt. It reads the whole answer, which lets the connection be used again.
func (c *Client) get(ctx context.Context, address string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
