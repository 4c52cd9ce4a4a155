package adapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/apis/example"
	"k8s.io/apiserver/pkg/storage"
)

// As many events as upstream's own watchers keep for a reader that is busy (etcd3/watcher.go, outgoingBufSize).
const buffered = 100

type watcher struct {
	results chan watch.Event
	cancel  context.CancelFunc
	once    sync.Once
}

func (w *watcher) ResultChan() <-chan watch.Event { return w.results }

func (w *watcher) Stop() { w.once.Do(w.cancel) }

func (s *Store) Watch(ctx context.Context, key string, opts storage.ListOptions) (watch.Interface, error) {
	at, err := s.place(key, opts.Recursive)
	if err != nil {
		return nil, err
	}
	query, err := listQuery(at, opts)
	if err != nil {
		return nil, err
	}
	query.Set("watch", "true")
	if opts.Predicate.AllowWatchBookmarks {
		query.Set("allowWatchBookmarks", "true")
	}
	if opts.SendInitialEvents != nil {
		// The API wants to be told what the storage takes for granted.
		query.Set("sendInitialEvents", strconv.FormatBool(*opts.SendInitialEvents))
		query.Set("resourceVersionMatch", string(metav1.ResourceVersionMatchNotOlderThan))
	}
	if seconds := timeoutSeconds(ctx); seconds > 0 {
		query.Set("timeoutSeconds", strconv.Itoa(seconds))
	}
	streamCtx, cancel := context.WithCancel(ctx)
	response, err := s.connection.open(streamCtx, "GET", s.collectionPath(at), query, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	if response.StatusCode != 200 {
		defer cancel()
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		return nil, storageError(key, response.StatusCode, body)
	}
	w := &watcher{results: make(chan watch.Event, buffered), cancel: cancel}
	go func() {
		defer close(w.results)
		defer response.Body.Close()
		defer cancel()
		w.follow(streamCtx, response.Body)
	}()
	return w, nil
}

// follow brings the events of a stream to the reader until one of both ends.
func (w *watcher) follow(ctx context.Context, stream io.Reader) {
	frames := json.NewDecoder(stream)
	for {
		frame := struct {
			Type   watch.EventType
			Object json.RawMessage
		}{}
		err := frames.Decode(&frame)
		if ctx.Err() != nil || errors.Is(err, io.EOF) {
			return
		}
		event := watch.Event{Type: frame.Type}
		if err == nil {
			event.Object, err = eventObject(frame.Type, frame.Object)
		}
		if err != nil {
			status := apierrors.NewInternalError(fmt.Errorf("the adapter cannot go on: %w", err)).Status()
			event = watch.Event{Type: watch.Error, Object: &status}
		}
		select {
		case w.results <- event:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func eventObject(eventType watch.EventType, data []byte) (runtime.Object, error) {
	switch eventType {
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark:
		pod := &example.Pod{}
		return pod, fromWire(data, pod)
	case watch.Error:
		status := &metav1.Status{}
		if err := json.Unmarshal(data, status); err != nil {
			return nil, err
		}
		// Types as the storage's own error events have them.
		status.TypeMeta = metav1.TypeMeta{}
		return status, nil
	}
	return nil, fmt.Errorf("no such type of event: %q", eventType)
}
