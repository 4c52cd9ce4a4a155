package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// wire counts what reflectors send.
type wire struct {
	lists, watches, watchLists atomic.Int64
}

func (w *wire) watched(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			query := request.URL.Query()
			switch {
			case request.Method != http.MethodGet || !strings.HasSuffix(request.URL.Path, "/tenantcontrolplanes"):
			case query.Get("sendInitialEvents") == "true":
				w.watchLists.Add(1)
			case query.Get("watch") == "true":
				w.watches.Add(1)
			default:
				w.lists.Add(1)
			}
			return next.RoundTrip(request)
		})
	})
	return config
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// diary writes down what an informer tells, by object.
type diary struct {
	mutex  sync.Mutex
	events map[string][]string
	total  int
}

// note: `count` is the annotation that writers raise by one.
func (d *diary) note(kind string, object any) {
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		kind, object = kind+"?", tombstone.Obj
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		panic(err)
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.events[accessor.GetName()] = append(d.events[accessor.GetName()], kind+accessor.GetAnnotations()["count"])
	d.total++
}

func (d *diary) of(name string) string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return strings.Join(d.events[name], " ")
}

func newDiary(informer cache.SharedIndexInformer) (*diary, error) {
	d := &diary{events: map[string][]string{}}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { d.note("A", object) },
		UpdateFunc: func(old, object any) {
			// After another list every object is told again.
			before, err := meta.Accessor(old)
			if after, err2 := meta.Accessor(object); err != nil || err2 != nil || before.GetResourceVersion() != after.GetResourceVersion() {
				d.note("M", object)
			}
		},
		DeleteFunc: func(object any) { d.note("D", object) },
	})
	return d, err
}

// informerKinds are the two clients that know no types.
var informerKinds = []struct {
	name string
	make func(config *rest.Config, namespace string, tweak func(*metav1.ListOptions)) (cache.SharedIndexInformer, error)
}{
	{"dynamic", func(config *rest.Config, namespace string, tweak func(*metav1.ListOptions)) (cache.SharedIndexInformer, error) {
		client, err := dynamic.NewForConfig(config)
		if err != nil {
			return nil, err
		}
		return dynamicinformer.NewFilteredDynamicInformer(client, tenants, namespace, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}, tweak).Informer(), nil
	}},
	{"metadata", func(config *rest.Config, namespace string, tweak func(*metav1.ListOptions)) (cache.SharedIndexInformer, error) {
		client, err := metadata.NewForConfig(config)
		if err != nil {
			return nil, err
		}
		return metadatainformer.NewFilteredMetadataInformer(client, tenants, namespace, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}, tweak).Informer(), nil
	}},
}

// streams: whether this process' reflectors stream their lists. client-go reads it once, from the environment.
func streams() bool { return os.Getenv("KUBE_FEATURE_WatchListClient") == "true" }

func started(ctx context.Context, informer cache.SharedIndexInformer) error {
	go informer.RunWithContext(ctx)
	within, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if !cache.WaitForCacheSync(within.Done(), informer.HasSynced) {
		return fmt.Errorf("never synced")
	}
	return nil
}

const (
	loadObjects = 20
	loadUpdates = 15
)

// load makes objects, changes each many times, and deletes every other one; as fast as four writers can.
func load(ctx context.Context, r *room) error {
	failures := make(chan error, 4)
	for writer := range 4 {
		go func() {
			failures <- func() error {
				for i := writer; i < loadObjects; i += 4 {
					if _, err := r.create(ctx, fmt.Sprintf("load-%02d", i)); err != nil {
						return err
					}
				}
				for update := 1; update <= loadUpdates; update++ {
					for i := writer; i < loadObjects; i += 4 {
						patch := fmt.Sprintf(`{"metadata":{"annotations":{"count":"%d"}}}`, update)
						if _, err := r.tenants.Patch(ctx, fmt.Sprintf("load-%02d", i), types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
							return err
						}
					}
				}
				for i := writer; i < loadObjects; i += 4 {
					if i%2 == 0 {
						continue
					}
					if err := r.tenants.Delete(ctx, fmt.Sprintf("load-%02d", i), metav1.DeleteOptions{}); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range 4 {
		if err := <-failures; err != nil {
			return err
		}
	}
	return nil
}

// lived is what an informer should tell of object i of the load.
func lived(i int) string {
	events := []string{"A"}
	for update := 1; update <= loadUpdates; update++ {
		events = append(events, fmt.Sprintf("M%d", update))
	}
	if i%2 == 1 {
		events = append(events, fmt.Sprintf("D%d", loadUpdates))
	}
	return strings.Join(events, " ")
}

var informerCases = makeInformerCases()

func makeInformerCases() []testCase {
	mode := "WatchList off"
	if streams() {
		mode = "WatchList on"
	}
	var cases []testCase
	for _, kind := range informerKinds {
		title := func(text string) string { return fmt.Sprintf("informer (%s, %s): %s", kind.name, mode, text) }
		none := func(*metav1.ListOptions) {}
		cases = append(cases,
			testCase{title("starts the way it was told to, and has everything when it is synced"), inRoom(func(ctx context.Context, w *world, r *room) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				if err := r.createMany(ctx, "old", 120); err != nil {
					return err
				}
				sent := &wire{}
				informer, err := kind.make(sent.watched(w.config), r.namespace, none)
				if err != nil {
					return err
				}
				if err := started(ctx, informer); err != nil {
					return err
				}
				if err := eventually(ctx, 10*time.Second, func() error {
					return want("streams", sent.watchLists.Load()+sent.watches.Load() > 0, true)
				}); err != nil {
					return err
				}
				byNamespace, err := informer.GetIndexer().ByIndex(cache.NamespaceIndex, r.namespace)
				if err != nil {
					return err
				}
				return first(
					want("objects", len(informer.GetStore().ListKeys()), 120),
					want("index", len(byNamespace), 120),
					want("streamed the list", sent.watchLists.Load() > 0, streams()),
					want("asked for a list", sent.lists.Load() > 0, !streams()),
					want("revision", informer.LastSyncResourceVersion() != "", true),
				)
			})},
			testCase{title("sees every change under load, in order per object"), inRoom(func(ctx context.Context, w *world, r *room) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				informer, err := kind.make(w.config, r.namespace, none)
				if err != nil {
					return err
				}
				told, err := newDiary(informer)
				if err != nil {
					return err
				}
				if err := started(ctx, informer); err != nil {
					return err
				}
				if err := load(ctx, r); err != nil {
					return err
				}
				return eventually(ctx, 20*time.Second, func() error {
					for i := range loadObjects {
						name := fmt.Sprintf("load-%02d", i)
						if err := want(name, told.of(name), lived(i)); err != nil {
							return err
						}
					}
					return nil
				})
			})},
			testCase{title("twenty that start in the middle of the load end up equal"), inRoom(func(ctx context.Context, w *world, r *room) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				loaded := make(chan error, 1)
				go func() { loaded <- load(ctx, r) }()
				var informers []cache.SharedIndexInformer
				for range 20 {
					informer, err := kind.make(w.config, r.namespace, none)
					if err != nil {
						return err
					}
					if err := started(ctx, informer); err != nil {
						return err
					}
					informers = append(informers, informer)
				}
				if err := <-loaded; err != nil {
					return err
				}
				truth, err := r.tenants.List(ctx, metav1.ListOptions{})
				if err != nil {
					return err
				}
				expected := map[string]string{}
				for i := range truth.Items {
					expected[truth.Items[i].GetName()] = truth.Items[i].GetResourceVersion()
				}
				return eventually(ctx, 20*time.Second, func() error {
					for _, informer := range informers {
						if err := want("store", stored(informer), expected); err != nil {
							return err
						}
					}
					return nil
				})
			})},
			testCase{title("follows a label selector"), inRoom(func(ctx context.Context, w *world, r *room) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				for _, name := range []string{"in", "out"} {
					if _, err := r.create(ctx, name, "is", name); err != nil {
						return err
					}
				}
				informer, err := kind.make(w.config, r.namespace, func(options *metav1.ListOptions) { options.LabelSelector = "is=in" })
				if err != nil {
					return err
				}
				told, err := newDiary(informer)
				if err != nil {
					return err
				}
				if err := started(ctx, informer); err != nil {
					return err
				}
				for _, step := range [][2]string{{"out", `{"is":"in"}`}, {"in", `{"is":"out"}`}, {"in", `{"is":"in"}`}} {
					if _, err := r.label(ctx, step[0], step[1]); err != nil {
						return err
					}
				}
				return eventually(ctx, 20*time.Second, func() error {
					return first(want("in", told.of("in"), "A D A"), want("out", told.of("out"), "A"))
				})
			})},
			testCase{title("one object by field selector, in all namespaces"), inRoom(func(ctx context.Context, w *world, r *room) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				if err := r.createMany(ctx, r.namespace, 3); err != nil {
					return err
				}
				informer, err := kind.make(w.config, metav1.NamespaceAll, func(options *metav1.ListOptions) { options.FieldSelector = "metadata.name=" + r.namespace + "-001" })
				if err != nil {
					return err
				}
				if err := started(ctx, informer); err != nil {
					return err
				}
				return want("keys", informer.GetStore().ListKeys(), []string{r.namespace + "/" + r.namespace + "-001"})
			})},
		)
	}
	return cases
}

// stored are names and revisions in an informer's store.
func stored(informer cache.SharedIndexInformer) map[string]string {
	found := map[string]string{}
	for _, object := range informer.GetStore().List() {
		accessor, err := meta.Accessor(object)
		if err != nil {
			panic(err)
		}
		found[accessor.GetName()] = accessor.GetResourceVersion()
	}
	return found
}
