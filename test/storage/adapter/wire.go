package adapter

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/storage"
)

// Control opens stores, and does to them what no API offers.
type Control struct {
	URL string
}

func (c Control) ask(action string, into any) error {
	response, err := http.Post(c.URL+"/stores"+action, "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", action, body)
	}
	return json.Unmarshal(body, into)
}

// connection speaks HTTP with the server of one store.
type connection struct {
	url    string
	token  string
	client *http.Client
}

func newConnection(url, token, ca string) (*connection, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		return nil, fmt.Errorf("no certificate of an authority")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 16}
	return &connection{url: url, token: token, client: &http.Client{Transport: transport}}, nil
}

func (c *connection) open(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return c.client.Do(request)
}

// ask answers the body of a success; anything else is an error of the storage's own kinds where there is one that means the same.
func (c *connection) ask(ctx context.Context, method, path, key string, query url.Values, body []byte) ([]byte, error) {
	response, err := c.open(ctx, method, path, query, body)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		return nil, storageError(key, response.StatusCode, answer)
	}
	return answer, nil
}

func storageError(key string, code int, body []byte) error {
	status := metav1.Status{}
	if err := json.Unmarshal(body, &status); err != nil || status.Kind != "Status" || int(status.Code) != code {
		return fmt.Errorf("%d without a Status of that code: %s", code, body)
	}
	switch {
	case status.Reason == metav1.StatusReasonNotFound && status.Details != nil && status.Details.Name != "":
		return storage.NewKeyNotFoundError(key, 0)
	case status.Reason == metav1.StatusReasonAlreadyExists:
		return storage.NewKeyExistsError(key, 0)
	case status.Reason == metav1.StatusReasonConflict && strings.Contains(status.Message, "UID in precondition"),
		status.Reason == metav1.StatusReasonConflict && strings.Contains(status.Message, "the UID in the precondition"):
		return storage.NewInvalidObjError(key, status.Message)
	case status.Reason == metav1.StatusReasonConflict:
		return storage.NewResourceVersionConflictsError(key, 0)
	case strings.Contains(status.Message, storage.ErrResourceVersionSetOnCreate.Error()):
		return fmt.Errorf("%w (%d)", storage.ErrResourceVersionSetOnCreate, code)
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// timeoutSeconds is how long a watch may last by its context, as clients say it; 0: for as long as the server likes.
func timeoutSeconds(ctx context.Context) int {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(1, int(time.Until(deadline).Round(time.Second)/time.Second))
}
