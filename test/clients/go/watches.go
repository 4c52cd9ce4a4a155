package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// next is "TYPE name" of the next event.
func next(ctx context.Context, w watch.Interface) (string, watch.Event, error) {
	select {
	case event, ok := <-w.ResultChan():
		if !ok {
			return "", event, fmt.Errorf("the watch ended")
		}
		named, ok := event.Object.(metav1.ObjectMetaAccessor)
		if !ok {
			if object, ok := event.Object.(*unstructured.Unstructured); ok {
				return string(event.Type) + " " + object.GetName(), event, nil
			}
			return string(event.Type), event, nil
		}
		return string(event.Type) + " " + named.GetObjectMeta().GetName(), event, nil
	case <-ctx.Done():
		return "", watch.Event{}, ctx.Err()
	case <-time.After(20 * time.Second):
		return "", watch.Event{}, fmt.Errorf("no event came")
	}
}

func wantEvents(ctx context.Context, w watch.Interface, expected ...string) error {
	for i, want := range expected {
		got, _, err := next(ctx, w)
		if err != nil {
			return fmt.Errorf("event %d, %s: %w", i, want, err)
		}
		if got != want {
			return fmt.Errorf("event %d: got %s, want %s", i, got, want)
		}
	}
	return nil
}

func (r *room) label(ctx context.Context, name, patch string) (*unstructured.Unstructured, error) {
	return r.tenants.Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"labels":`+patch+`}}`), metav1.PatchOptions{})
}

// listWatch is what reflectors take.
func (r *room) listWatch(ctx context.Context, tweak func(*metav1.ListOptions)) *cache.ListWatch {
	return &cache.ListWatch{
		ListFunc: func(options metav1.ListOptions) (runtime.Object, error) {
			tweak(&options)
			return r.tenants.List(ctx, options)
		},
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
			tweak(&options)
			return r.tenants.Watch(ctx, options)
		},
	}
}

var watchCases = []testCase{
	{"watch: from a list's revision, every change in order", inRoom(func(ctx context.Context, _ *world, r *room) error {
		list, err := r.tenants.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		w, err := r.tenants.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
		if err != nil {
			return err
		}
		defer w.Stop()
		if _, err := r.create(ctx, "one"); err != nil {
			return err
		}
		if _, err := r.label(ctx, "one", `{"a":"b"}`); err != nil {
			return err
		}
		if err := r.tenants.Delete(ctx, "one", metav1.DeleteOptions{}); err != nil {
			return err
		}
		return wantEvents(ctx, w, "ADDED one", "MODIFIED one", "DELETED one")
	})},
	{"watch: objects that enter and leave a selection", inRoom(func(ctx context.Context, _ *world, r *room) error {
		list, err := r.tenants.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		w, err := r.tenants.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion(), LabelSelector: "in=yes"})
		if err != nil {
			return err
		}
		defer w.Stop()
		if _, err := r.create(ctx, "one"); err != nil {
			return err
		}
		for _, labels := range []string{`{"in":"yes"}`, `{"more":"1"}`, `{"in":null}`, `{"more":"2"}`, `{"in":"yes"}`} {
			if _, err := r.label(ctx, "one", labels); err != nil {
				return err
			}
		}
		return wantEvents(ctx, w, "ADDED one", "MODIFIED one", "DELETED one", "ADDED one")
	})},
	{"watch: initial events end with a marked bookmark", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if err := r.createMany(ctx, "i", 3); err != nil {
			return err
		}
		yes := true
		w, err := r.tenants.Watch(ctx, metav1.ListOptions{
			SendInitialEvents: &yes, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, AllowWatchBookmarks: true,
		})
		if err != nil {
			return err
		}
		defer w.Stop()
		if err := wantEvents(ctx, w, "ADDED i-000", "ADDED i-001", "ADDED i-002"); err != nil {
			return err
		}
		_, event, err := next(ctx, w)
		if err != nil {
			return err
		}
		mark, ok := event.Object.(*unstructured.Unstructured)
		if !ok {
			return fmt.Errorf("a bookmark of type %T", event.Object)
		}
		if _, err := r.create(ctx, "later"); err != nil {
			return err
		}
		return first(
			want("type", event.Type, watch.Bookmark),
			want("kind", mark.GetKind(), "TenantControlPlane"),
			want("annotation", mark.GetAnnotations()[metav1.InitialEventsAnnotationKey], "true"),
			wantEvents(ctx, w, "ADDED later"),
		)
	})},
	{"watch: a bookmark comes before the time is over, and is no older than the last event", inRoom(func(ctx context.Context, _ *world, r *room) error {
		created, err := r.create(ctx, "one")
		if err != nil {
			return err
		}
		// kube-apiserver sends it two seconds before.
		seconds := int64(4)
		w, err := r.tenants.Watch(ctx, metav1.ListOptions{ResourceVersion: created.GetResourceVersion(), AllowWatchBookmarks: true, TimeoutSeconds: &seconds})
		if err != nil {
			return err
		}
		defer w.Stop()
		labelled, err := r.label(ctx, "one", `{"a":"b"}`)
		if err != nil {
			return err
		}
		if err := wantEvents(ctx, w, "MODIFIED one"); err != nil {
			return err
		}
		_, event, err := next(ctx, w)
		if err != nil {
			return err
		}
		mark, ok := event.Object.(*unstructured.Unstructured)
		if !ok || event.Type != watch.Bookmark {
			return fmt.Errorf("got %v", event)
		}
		at, _ := strconv.ParseInt(mark.GetResourceVersion(), 10, 64)
		last, _ := strconv.ParseInt(labelled.GetResourceVersion(), 10, 64)
		if at < last {
			return fmt.Errorf("the bookmark is at %d, the last event at %d", at, last)
		}
		_, open := <-w.ResultChan()
		return want("open", open, false)
	})},
	{"watch: metadata only", inRoom(func(ctx context.Context, w *world, r *room) error {
		client, err := metadata.NewForConfig(w.config)
		if err != nil {
			return err
		}
		created, err := r.create(ctx, "one")
		if err != nil {
			return err
		}
		metas, err := client.Resource(tenants).Namespace(r.namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: created.GetResourceVersion(), AllowWatchBookmarks: true})
		if err != nil {
			return err
		}
		defer metas.Stop()
		if _, err := r.label(ctx, "one", `{"a":"b"}`); err != nil {
			return err
		}
		_, event, err := next(ctx, metas)
		if err != nil {
			return err
		}
		object, ok := event.Object.(*metav1.PartialObjectMetadata)
		if !ok {
			return fmt.Errorf("an event of %T", event.Object)
		}
		return first(want("type", event.Type, watch.Modified), want("labels", object.Labels, map[string]string{"a": "b"}))
	})},
	{"until: UntilWithSync sees a condition come true", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if _, err := r.create(ctx, "one"); err != nil {
			return err
		}
		go func() {
			time.Sleep(300 * time.Millisecond)
			_, _ = r.tenants.Patch(ctx, "one", types.MergePatchType, []byte(`{"status":{"controlPlaneEndpoint":"here:1"}}`), metav1.PatchOptions{}, "status")
		}()
		lw := r.listWatch(ctx, func(options *metav1.ListOptions) { options.FieldSelector = "metadata.name=one" })
		event, err := watchtools.UntilWithSync(ctx, lw, &unstructured.Unstructured{}, nil, func(event watch.Event) (bool, error) {
			return nested(event.Object.(*unstructured.Unstructured), "status", "controlPlaneEndpoint") == any("here:1"), nil
		})
		if err != nil {
			return err
		}
		return want("name", event.Object.(*unstructured.Unstructured).GetName(), "one")
	})},
	{"until: Until from a revision sees a deletion", inRoom(func(ctx context.Context, _ *world, r *room) error {
		created, err := r.create(ctx, "one")
		if err != nil {
			return err
		}
		go func() {
			time.Sleep(300 * time.Millisecond)
			_ = r.tenants.Delete(ctx, "one", metav1.DeleteOptions{})
		}()
		lw := r.listWatch(ctx, func(options *metav1.ListOptions) { options.FieldSelector = "metadata.name=one" })
		event, err := watchtools.Until(ctx, created.GetResourceVersion(), lw, func(event watch.Event) (bool, error) {
			return event.Type == watch.Deleted, nil
		})
		if err != nil {
			return err
		}
		return want("newer", event.Object.(*unstructured.Unstructured).GetResourceVersion() != created.GetResourceVersion(), true)
	})},
}
