// Package upstream calls the service that this one depends on. It belongs to the example.
package upstream

import (
	"context"
	"encoding/json"
	"errors"
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

// item is what this service reads of the upstream's item; the contract test holds the upstream to it.
type item struct {
	ID       *uuid.UUID `json:"id"`
	Name     *string    `json:"name"`
	Quantity *int       `json:"quantity"`
}

// answer is what one attempt got.
type answer struct {
	status int
	body   []byte
}

// maxBody is far more than an item takes, and bounds what a broken upstream can make this service hold.
const maxBody = 1 << 20

// ItemExists tells whether the upstream knows the item.
func (c *Client) ItemExists(ctx context.Context, id uuid.UUID) (bool, error) {
	address := c.base.JoinPath("v1", "items", id.String()).String()
	got, err := c.retry(ctx, func() (answer, error) { return c.get(ctx, address) })
	switch {
	case err != nil:
		return false, err
	case got.status == http.StatusOK:
		_, err := parse(got.body)
		return err == nil, err
	case got.status == http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("upstream answered %d", got.status)
}

func parse(body []byte) (item, error) {
	var found item
	if err := json.Unmarshal(body, &found); err != nil {
		return item{}, fmt.Errorf("upstream's answer is not an item: %w", err)
	}
	if found.ID == nil || found.Name == nil || found.Quantity == nil {
		return item{}, errors.New("upstream's answer is not an item: id, name or quantity is missing")
	}
	return found, nil
}

// get is one attempt. It reads the whole answer, which lets the connection be used again.
func (c *Client) get(ctx context.Context, address string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(http.MaxBytesReader(nil, response.Body, maxBody))
	return answer{response.StatusCode, body}, err
}
