// Package adapter lets upstream's tests of a storage judge an API server over HTTP.
//
// It holds no objects and decides nothing: what is there, in which order, as of which revision, and which error a request gets is what the
// server answered. Where storage.Interface promises something that takes several requests (GuaranteedUpdate, and Delete with
// a validation), it does what any client of the API would: read, then write with the resourceVersion that was read, then again
// after a conflict.
package adapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/apis/example"
	"k8s.io/apiserver/pkg/storage"
	storagetesting "k8s.io/apiserver/pkg/storage/testing"
	"k8s.io/apiserver/pkg/storage/value"
)

// Store is a storage.Interface over the HTTP API of a server with a fresh storage.
type Store struct {
	control    Control
	id         string
	connection *connection
	namespaced bool
	// Whether a page at version 0 (which may be any) is asked for at the newest one. The server, as every one with a watch cache, answers a list
	// at version 0 whole.
	pageFromNewest bool

	lock        sync.Mutex
	transformer value.Transformer
}

var _ storage.Interface = (*Store)(nil)

// Open asks for a fresh storage with a server in front of it.
func Open(control Control, namespaced bool) (*Store, error) {
	answer := struct{ ID, URL, Token, CA string }{}
	if err := control.ask("", &answer); err != nil {
		return nil, err
	}
	connection, err := newConnection(answer.URL, answer.Token, answer.CA)
	if err != nil {
		return nil, err
	}
	return &Store{control: control, id: answer.ID, connection: connection, namespaced: namespaced}, nil
}

// Close stops the server and removes its storage.
func (s *Store) Close() error {
	s.connection.client.CloseIdleConnections()
	return s.control.ask("/"+s.id+"/remove", &object{})
}

// Bump makes a write that no test sees; answers its revision.
func (s *Store) Bump() (int64, error) {
	answer := struct{ Revision int64 }{}
	err := s.control.ask("/"+s.id+"/bump", &answer)
	return answer.Revision, err
}

// Compact makes the storage forget what was before the revision.
func (s *Store) Compact(revision string) error {
	return s.control.ask("/"+s.id+"/compact?revision="+url.QueryEscape(revision), &object{})
}

// Raw is the stored value of a key, as the storage holds it.
func (s *Store) Raw(key string) (string, error) {
	at, err := objectPlace(key, s.namespaced)
	if err != nil {
		return "", err
	}
	stored := "/" + group + "/" + s.resource() + "/" + at.name
	if s.namespaced {
		stored = "/" + group + "/" + s.resource() + "/" + at.namespace + "/" + at.name
	}
	answer := struct{ Value string }{}
	err = s.control.ask("/"+s.id+"/raw?key="+url.QueryEscape(stored), &answer)
	return answer.Value, err
}

const group = "example.apiserver.k8s.io"

func (s *Store) resource() string {
	if s.namespaced {
		return "pods"
	}
	return "clusterpods"
}

func (s *Store) kind() string {
	if s.namespaced {
		return "Pod"
	}
	return "ClusterPod"
}

func (s *Store) collectionPath(at place) string {
	path := "/apis/" + group + "/v1/"
	if at.namespace != "" {
		path += "namespaces/" + url.PathEscape(at.namespace) + "/"
	}
	return path + s.resource()
}

func (s *Store) objectPath(at place) string {
	return s.collectionPath(at) + "/" + url.PathEscape(at.name)
}

func (s *Store) Versioner() storage.Versioner { return storage.APIObjectVersioner{} }

func (s *Store) Create(ctx context.Context, key string, obj, out runtime.Object, _ uint64) error {
	at, err := objectPlace(key, s.namespaced)
	if err != nil {
		return err
	}
	pod, ok := obj.(*example.Pod)
	if !ok {
		return fmt.Errorf("not a pod: %T", obj)
	}
	body, err := toWire(at, s.kind(), key, obj, pod.ResourceVersion)
	if err != nil {
		return err
	}
	answer, err := s.connection.ask(ctx, "POST", s.collectionPath(at), key, nil, body)
	if err != nil || out == nil {
		return err
	}
	return fromWire(answer, out)
}

func (s *Store) read(ctx context.Context, key string, query url.Values) ([]byte, error) {
	at, err := objectPlace(key, s.namespaced)
	if err != nil {
		return nil, err
	}
	return s.connection.ask(ctx, "GET", s.objectPath(at), key, query, nil)
}

func (s *Store) Get(ctx context.Context, key string, opts storage.GetOptions, out runtime.Object) error {
	query := url.Values{}
	if opts.ResourceVersion != "" {
		query.Set("resourceVersion", opts.ResourceVersion)
	}
	answer, err := s.read(ctx, key, query)
	if storage.IsNotFound(err) && opts.IgnoreNotFound {
		return runtime.SetZeroValue(out)
	}
	if err != nil {
		return err
	}
	return fromWire(answer, out)
}

// preconditions are those of a request: a uid that the test gave stands for the one that the server gave that object, and
// any other is for the server to refuse.
func (s *Store) uidFor(wanted *storage.Preconditions, current []byte) (string, error) {
	if wanted == nil || wanted.UID == nil {
		return "", nil
	}
	ofTest, ofServer, err := uids(current)
	if err != nil {
		return "", err
	}
	if string(*wanted.UID) == ofTest {
		return ofServer, nil
	}
	return string(*wanted.UID), nil
}

func (s *Store) Delete(ctx context.Context, key string, out runtime.Object, preconditions *storage.Preconditions,
	validateDeletion storage.ValidateObjectFunc, _ runtime.Object, _ storage.DeleteOptions) error {
	for {
		err := s.deleteOnce(ctx, key, out, preconditions, validateDeletion)
		if !storage.IsConflict(err) {
			return err
		}
	}
}

func (s *Store) deleteOnce(ctx context.Context, key string, out runtime.Object, preconditions *storage.Preconditions,
	validateDeletion storage.ValidateObjectFunc) error {
	answer, err := s.read(ctx, key, nil)
	if err != nil {
		return err
	}
	current := &example.Pod{}
	if err := fromWire(answer, current); err != nil {
		return err
	}
	uid, err := s.uidFor(preconditions, answer)
	if err != nil {
		return err
	}
	if err := validateDeletion(ctx, current); err != nil {
		return err
	}
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &current.ResourceVersion}}
	if uid != "" {
		options.Preconditions.UID = (*storage.NewUIDPreconditions(uid)).UID
	}
	body, err := json.Marshal(options)
	if err != nil {
		return err
	}
	// The API answers a delete with no object; what the storage should answer is in the event of it.
	watchCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := s.Watch(watchCtx, key, storage.ListOptions{ResourceVersion: current.ResourceVersion, Predicate: storage.Everything})
	if err != nil {
		return err
	}
	defer events.Stop()
	at, err := objectPlace(key, s.namespaced)
	if err != nil {
		return err
	}
	if _, err := s.connection.ask(ctx, "DELETE", s.objectPath(at), key, nil, body); err != nil {
		return err
	}
	for event := range events.ResultChan() {
		switch event.Type {
		case watch.Deleted:
			return copyInto(out, event.Object)
		case watch.Error:
			return fmt.Errorf("the watch for the deletion broke off: %v", event.Object)
		}
	}
	return errors.New("the watch ended before the deletion was seen")
}

func copyInto(out, from runtime.Object) error {
	target, err := conversion.EnforcePtr(out)
	if err != nil {
		return err
	}
	target.Set(reflect.ValueOf(from).Elem())
	return nil
}

func (s *Store) GuaranteedUpdate(ctx context.Context, key string, out runtime.Object, ignoreNotFound bool,
	preconditions *storage.Preconditions, tryUpdate storage.UpdateFunc, _ runtime.Object) error {
	at, err := objectPlace(key, s.namespaced)
	if err != nil {
		return err
	}
	for {
		answer, err := s.read(ctx, key, nil)
		if storage.IsNotFound(err) && ignoreNotFound {
			err = s.createUpdated(ctx, key, out, tryUpdate)
		} else if err == nil {
			err = s.updateOnce(ctx, key, at, answer, out, preconditions, tryUpdate)
		}
		if !storage.IsConflict(err) && !(ignoreNotFound && storage.IsExist(err)) {
			return err
		}
	}
}

func (s *Store) createUpdated(ctx context.Context, key string, out runtime.Object, tryUpdate storage.UpdateFunc) error {
	next, _, err := tryUpdate(&example.Pod{}, storage.ResponseMeta{})
	if err != nil {
		return err
	}
	fresh := next.DeepCopyObject().(*example.Pod)
	fresh.ResourceVersion = ""
	return s.Create(ctx, key, fresh, out, 0)
}

func (s *Store) updateOnce(ctx context.Context, key string, at place, answer []byte, out runtime.Object,
	preconditions *storage.Preconditions, tryUpdate storage.UpdateFunc) error {
	current := &example.Pod{}
	if err := fromWire(answer, current); err != nil {
		return err
	}
	resourceVersion := current.ResourceVersion
	revision, err := s.Versioner().ParseResourceVersion(resourceVersion)
	if err != nil {
		return err
	}
	next, _, err := tryUpdate(current, storage.ResponseMeta{ResourceVersion: revision})
	if err != nil {
		return err
	}
	body, err := toWire(at, s.kind(), key, next, resourceVersion)
	if err != nil {
		return err
	}
	uid, err := s.uidFor(preconditions, answer)
	if err != nil {
		return err
	}
	if uid != "" {
		wire := object{}
		if err := json.Unmarshal(body, &wire); err != nil {
			return err
		}
		wire["metadata"].(object)["uid"] = uid
		if body, err = json.Marshal(wire); err != nil {
			return err
		}
	}
	written, err := s.connection.ask(ctx, "PUT", s.objectPath(at), key, nil, body)
	if err != nil {
		return err
	}
	return fromWire(written, out)
}

func (s *Store) place(key string, recursive bool) (place, error) {
	if recursive {
		return collectionPlace(key, s.namespaced)
	}
	return objectPlace(key, s.namespaced)
}

func (s *Store) GetList(ctx context.Context, key string, opts storage.ListOptions, listObj runtime.Object) error {
	at, err := s.place(key, opts.Recursive)
	if err != nil {
		return err
	}
	query, err := listQuery(at, opts)
	if err != nil {
		return err
	}
	if s.pageFromNewest && opts.ResourceVersion == "0" && opts.Predicate.Limit > 0 {
		query.Del("resourceVersion")
	}
	if opts.Predicate.Limit != 0 {
		query.Set("limit", strconv.FormatInt(opts.Predicate.Limit, 10))
	}
	if opts.Predicate.Continue != "" {
		query.Set("continue", opts.Predicate.Continue)
	}
	if opts.ResourceVersionMatch != "" {
		query.Set("resourceVersionMatch", string(opts.ResourceVersionMatch))
	}
	stop := s.disturb(ctx)
	answer, err := s.connection.ask(ctx, "GET", s.collectionPath(at), key, query, nil)
	stop()
	if err != nil {
		return err
	}
	return listFromWire(answer, listObj)
}

func listQuery(at place, opts storage.ListOptions) (url.Values, error) {
	query := url.Values{}
	fieldSelector, labelSelector, err := selectors(opts.Predicate, at)
	if err != nil {
		return nil, err
	}
	if fieldSelector != "" {
		query.Set("fieldSelector", fieldSelector)
	}
	if labelSelector != "" {
		query.Set("labelSelector", labelSelector)
	}
	if opts.ResourceVersion != "" {
		query.Set("resourceVersion", opts.ResourceVersion)
	}
	return query, nil
}

func listFromWire(answer []byte, listObj runtime.Object) error {
	list, ok := listObj.(*example.PodList)
	if !ok {
		return fmt.Errorf("not a list of pods: %T", listObj)
	}
	wire := struct {
		Metadata metav1.ListMeta   `json:"metadata"`
		Items    []json.RawMessage `json:"items"`
	}{}
	if err := json.Unmarshal(answer, &wire); err != nil {
		return err
	}
	if wire.Items == nil {
		return errors.New("a list without items")
	}
	if wire.Metadata.ResourceVersion == "" {
		return errors.New("a list without resourceVersion")
	}
	list.ListMeta = wire.Metadata
	list.Items = make([]example.Pod, len(wire.Items))
	for i, item := range wire.Items {
		if err := fromWire(item, &list.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) Stats(context.Context) (storage.Stats, error) {
	return storage.Stats{}, errors.New("the API tells no statistics")
}

func (s *Store) ReadinessCheck() error {
	_, err := s.connection.ask(context.Background(), "GET", "/readyz", "", nil, nil)
	return err
}

func (s *Store) RequestWatchProgress(context.Context) error {
	return errors.New("the API has no request for progress")
}

func (s *Store) GetCurrentResourceVersion(ctx context.Context) (uint64, error) {
	list := &example.PodList{}
	predicate := storage.Everything
	predicate.Limit = 1
	if err := s.GetList(ctx, resourcePrefix, storage.ListOptions{Recursive: true, Predicate: predicate}, list); err != nil {
		return 0, err
	}
	return s.Versioner().ParseResourceVersion(list.ResourceVersion)
}

func (s *Store) EnableResourceSizeEstimation(storage.KeysFunc) error { return nil }

func (s *Store) CompactRevision() int64 {
	answer := struct{ Compacted int64 }{}
	if err := s.control.ask("/"+s.id+"/compacted", &answer); err != nil {
		return -1
	}
	return answer.Compacted
}

// The prefix of upstream's own test transformer; nothing is stored with it here.
const prefix = "test!"

// UpdatePrefixTransformer installs what upstream's tests would put between etcd and a value. There is nothing to put it into here, but it is
// called while a list is on its way: with the transformer that creates objects, those come into being during the list.
func (s *Store) UpdatePrefixTransformer(modifier storagetesting.PrefixTransformerModifier) func() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.transformer = modifier(storagetesting.NewPrefixTransformer([]byte(prefix), false))
	return func() {
		s.lock.Lock()
		defer s.lock.Unlock()
		s.transformer = nil
	}
}

// disturb runs the installed transformer again and again, from before it answers until it is told to stop.
func (s *Store) disturb(ctx context.Context) (stop func()) {
	s.lock.Lock()
	transformer := s.transformer
	s.lock.Unlock()
	if transformer == nil {
		return func() {}
	}
	over := make(chan struct{})
	began := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for first := true; ; first = false {
			_, _, err := transformer.TransformFromStorage(ctx, []byte(prefix), value.DefaultContext("key"))
			if first {
				close(began)
			}
			select {
			case <-over:
				return
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	<-began
	return func() {
		close(over)
		<-ended
	}
}
