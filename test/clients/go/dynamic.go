package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"
)

type roomCase func(ctx context.Context, w *world, r *room) error

// inRoom gives a case a namespace of its own.
func inRoom(run roomCase) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		r, err := w.newRoom(ctx)
		if err != nil {
			return err
		}
		return run(ctx, w, r)
	}
}

// asUser is the dynamic client of somebody without rights.
func (w *world) asUser(name string) (dynamic.Interface, error) {
	config := rest.CopyConfig(w.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: name}
	return dynamic.NewForConfig(config)
}

func names(items []unstructured.Unstructured) []string {
	found := make([]string, 0, len(items))
	for i := range items {
		found = append(found, items[i].GetName())
	}
	return found
}

// request is a GET below the tenants of the room that is not tried again when the server says later.
func (r *room) request(below string) *rest.Request {
	path := fmt.Sprintf("/apis/%s/namespaces/%s/%s%s", groupVersion, r.namespace, tenants.Resource, below)
	return r.core.Discovery().RESTClient().Get().RequestURI(path).MaxRetries(0)
}

type warnings struct {
	mutex sync.Mutex
	texts []string
}

func (w *warnings) HandleWarningHeader(_ int, _ string, text string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.texts = append(w.texts, text)
}

var dynamicCases = []testCase{
	{"dynamic: create, get, update, status, delete", inRoom(func(ctx context.Context, _ *world, r *room) error {
		created, err := r.create(ctx, "one")
		if err != nil {
			return err
		}
		changed := created.DeepCopy()
		if err := unstructured.SetNestedField(changed.Object, int64(3), "spec", "controlPlane", "deployment", "replicas"); err != nil {
			return err
		}
		changed.Object["status"] = map[string]any{"controlPlaneEndpoint": "ignored:1"}
		updated, err := r.tenants.Update(ctx, changed, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		updated.Object["status"] = map[string]any{"controlPlaneEndpoint": "192.0.2.1:6443"}
		reported, err := r.tenants.UpdateStatus(ctx, updated, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		got, err := r.tenants.Get(ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := r.tenants.Delete(ctx, "one", metav1.DeleteOptions{}); err != nil {
			return err
		}
		_, gone := r.tenants.Get(ctx, "one", metav1.GetOptions{})
		return first(
			want("generation", []int64{created.GetGeneration(), updated.GetGeneration(), reported.GetGeneration()}, []int64{1, 2, 2}),
			want("status after an update", nested(updated, "status", "controlPlaneEndpoint"), any("192.0.2.1:6443")),
			want("what was read", got.Object, reported.Object),
			wantError("get after delete", gone, apierrors.IsNotFound),
		)
	})},
	{"dynamic: every refusal is the error that callers ask for", inRoom(func(ctx context.Context, w *world, r *room) error {
		created, err := r.create(ctx, "one")
		if err != nil {
			return err
		}
		_, twice := r.create(ctx, "one")
		_, missing := r.tenants.Get(ctx, "nobody", metav1.GetOptions{})
		stale := created.DeepCopy()
		stale.SetLabels(map[string]string{"a": "b"})
		if _, err := r.tenants.Update(ctx, stale, metav1.UpdateOptions{}); err != nil {
			return err
		}
		stale.SetLabels(map[string]string{"a": "c"})
		_, conflict := r.tenants.Update(ctx, stale, metav1.UpdateOptions{})
		bad := r.tenant("bad")
		bad.Object["spec"].(map[string]any)["kubernetes"] = "no object"
		_, invalid := r.tenants.Create(ctx, bad, metav1.CreateOptions{})
		unknown := r.tenant("unknown")
		unknown.Object["spec"].(map[string]any)["nope"] = true
		_, strict := r.tenants.Create(ctx, unknown, metav1.CreateOptions{FieldValidation: "Strict"})
		stranger, err := w.asUser("stranger")
		if err != nil {
			return err
		}
		_, forbidden := stranger.Resource(tenants).Namespace(r.namespace).List(ctx, metav1.ListOptions{})
		_, strategic := r.tenants.Patch(ctx, "one", types.StrategicMergePatchType, []byte(`{}`), metav1.PatchOptions{})
		uid := types.UID("another")
		precondition := r.tenants.Delete(ctx, "one", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
		future := r.request("?resourceVersion=999999999999").Do(ctx).Error()
		return first(
			wantError("twice", twice, apierrors.IsAlreadyExists),
			wantError("missing", missing, apierrors.IsNotFound),
			wantError("conflict", conflict, apierrors.IsConflict),
			wantError("invalid", invalid, func(err error) bool {
				status, _ := err.(apierrors.APIStatus)
				return apierrors.IsInvalid(err) && len(status.Status().Details.Causes) > 0
			}),
			wantError("strict", strict, func(err error) bool {
				return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), `unknown field "spec.nope"`)
			}),
			wantError("forbidden", forbidden, apierrors.IsForbidden),
			wantError("strategic", strategic, apierrors.IsUnsupportedMediaType),
			wantError("precondition", precondition, apierrors.IsConflict),
			wantError("future", future, func(err error) bool {
				return apierrors.IsTimeout(err) && apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge)
			}),
		)
	})},
	{"dynamic: eight writers with RetryOnConflict lose no increment", inRoom(func(ctx context.Context, _ *world, r *room) error {
		const writers, rounds = 8, 10
		if _, err := r.create(ctx, "counter"); err != nil {
			return err
		}
		failures := make(chan error, writers*rounds)
		var group sync.WaitGroup
		patient := retry.DefaultRetry
		patient.Steps = 500
		for range writers {
			group.Add(1)
			go func() {
				defer group.Done()
				for range rounds {
					failures <- retry.RetryOnConflict(patient, func() error {
						current, err := r.tenants.Get(ctx, "counter", metav1.GetOptions{})
						if err != nil {
							return err
						}
						current.SetAnnotations(map[string]string{"count": current.GetAnnotations()["count"] + "x"})
						_, err = r.tenants.Update(ctx, current, metav1.UpdateOptions{})
						return err
					})
				}
			}()
		}
		group.Wait()
		close(failures)
		for err := range failures {
			if err != nil {
				return err
			}
		}
		got, err := r.tenants.Get(ctx, "counter", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return want("increments", len(got.GetAnnotations()["count"]), writers*rounds)
	})},
	{"dynamic: merge and JSON patches, of the status too, and a dry run", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if _, err := r.create(ctx, "one"); err != nil {
			return err
		}
		merged, err := r.tenants.Patch(ctx, "one", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
		if err != nil {
			return err
		}
		replaced, err := r.tenants.Patch(ctx, "one", types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/controlPlane/deployment/replicas","value":4}]`), metav1.PatchOptions{})
		if err != nil {
			return err
		}
		status, err := r.tenants.Patch(ctx, "one", types.MergePatchType, []byte(`{"status":{"controlPlaneEndpoint":"here:1"}}`), metav1.PatchOptions{}, "status")
		if err != nil {
			return err
		}
		dry, err := r.tenants.Patch(ctx, "one", types.MergePatchType, []byte(`{"metadata":{"labels":{"dry":"run"}}}`), metav1.PatchOptions{DryRun: []string{"All"}})
		if err != nil {
			return err
		}
		got, err := r.tenants.Get(ctx, "one", metav1.GetOptions{}, "status")
		if err != nil {
			return err
		}
		return first(
			want("label", merged.GetLabels()["a"], "b"),
			want("replicas", nested(replaced, "spec", "controlPlane", "deployment", "replicas"), any(int64(4))),
			want("status", nested(status, "status", "controlPlaneEndpoint"), any("here:1")),
			want("dry run", dry.GetLabels()["dry"], "run"),
			want("what is stored", got.Object, status.Object),
		)
	})},
	{"dynamic: the scale subresource", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if _, err := r.create(ctx, "one"); err != nil {
			return err
		}
		scale, err := r.tenants.Get(ctx, "one", metav1.GetOptions{}, "scale")
		if err != nil {
			return err
		}
		if err := unstructured.SetNestedField(scale.Object, int64(5), "spec", "replicas"); err != nil {
			return err
		}
		scaled, err := r.tenants.Update(ctx, scale, metav1.UpdateOptions{}, "scale")
		if err != nil {
			return err
		}
		got, err := r.tenants.Get(ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return first(
			want("kind", scaled.GroupVersionKind().String(), "autoscaling/v1, Kind=Scale"),
			want("replicas", nested(got, "spec", "controlPlane", "deployment", "replicas"), any(int64(5))),
			want("revision", scaled.GetResourceVersion(), got.GetResourceVersion()),
		)
	})},
	{"dynamic: fifty concurrent creates with generateName are fifty objects", inRoom(func(ctx context.Context, _ *world, r *room) error {
		failures := make(chan error, 50)
		for range 50 {
			go func() {
				object := r.tenant("")
				object.SetGenerateName("made-")
				_, err := r.tenants.Create(ctx, object, metav1.CreateOptions{})
				failures <- err
			}()
		}
		for range 50 {
			if err := <-failures; err != nil {
				return err
			}
		}
		list, err := r.tenants.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		return want("objects", len(list.Items), 50)
	})},
	{"dynamic: deletecollection by label, also of objects with finalizers", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if err := r.createMany(ctx, "plain", 20); err != nil {
			return err
		}
		for _, name := range []string{"held", "also-held"} {
			object := r.tenant(name, "goes", "yes")
			object.SetFinalizers([]string{"example.com/hold"})
			if _, err := r.tenants.Create(ctx, object, metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		if _, err := r.create(ctx, "free", "goes", "yes"); err != nil {
			return err
		}
		if err := r.tenants.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "goes=yes"}); err != nil {
			return err
		}
		left, err := r.tenants.List(ctx, metav1.ListOptions{LabelSelector: "goes"})
		if err != nil {
			return err
		}
		if err := r.tenants.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			return err
		}
		held, err := r.tenants.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		var ending []bool
		for i := range held.Items {
			ending = append(ending, held.Items[i].GetDeletionTimestamp() != nil)
		}
		return first(
			want("left", names(left.Items), []string{"also-held", "held"}),
			want("held", names(held.Items), []string{"also-held", "held"}),
			want("ending", ending, []bool{true, true}),
		)
	})},
	{"pager: pages of seven hold everything once, in order", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if err := r.createMany(ctx, "p", 50); err != nil {
			return err
		}
		pages := 0
		var seen []string
		p := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			pages++
			return r.tenants.List(ctx, options)
		})
		p.PageSize = 7
		err := p.EachListItem(ctx, metav1.ListOptions{}, func(object runtime.Object) error {
			seen = append(seen, object.(*unstructured.Unstructured).GetName())
			return nil
		})
		if err != nil {
			return err
		}
		whole, _, err := p.List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return err
		}
		all, ok := whole.(*unstructured.UnstructuredList)
		if !ok {
			return fmt.Errorf("a list of type %T", whole)
		}
		return first(want("count", len(seen), 50), want("order", slices.IsSorted(seen), true), want("pages", pages >= 8, true), want("whole", names(all.Items), seen))
	})},
	{"pager: remainingItemCount counts down, and pages are one snapshot", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if err := r.createMany(ctx, "p", 10); err != nil {
			return err
		}
		page, err := r.tenants.List(ctx, metav1.ListOptions{Limit: 4})
		if err != nil {
			return err
		}
		if page.GetRemainingItemCount() == nil {
			return fmt.Errorf("no remainingItemCount")
		}
		if err := r.tenants.Delete(ctx, "p-009", metav1.DeleteOptions{}); err != nil {
			return err
		}
		if _, err := r.create(ctx, "p-zzz"); err != nil {
			return err
		}
		second, err := r.tenants.List(ctx, metav1.ListOptions{Limit: 4, Continue: page.GetContinue()})
		if err != nil {
			return err
		}
		third, err := r.tenants.List(ctx, metav1.ListOptions{Limit: 4, Continue: second.GetContinue()})
		if err != nil {
			return err
		}
		return first(
			want("remaining", *page.GetRemainingItemCount(), int64(6)),
			want("last page", names(third.Items), []string{"p-008", "p-009"}),
			want("continue", third.GetContinue(), ""),
			want("revision", third.GetResourceVersion(), page.GetResourceVersion()),
		)
	})},
	{"dynamic: lists at a revision, not older than one, and from the cache", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if _, err := r.create(ctx, "one"); err != nil {
			return err
		}
		before, err := r.tenants.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		two, err := r.create(ctx, "two")
		if err != nil {
			return err
		}
		exact, err := r.tenants.List(ctx, metav1.ListOptions{ResourceVersion: before.GetResourceVersion(), ResourceVersionMatch: metav1.ResourceVersionMatchExact})
		if err != nil {
			return err
		}
		newer, err := r.tenants.List(ctx, metav1.ListOptions{ResourceVersion: two.GetResourceVersion(), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan})
		if err != nil {
			return err
		}
		cached, err := r.tenants.List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return err
		}
		return first(
			want("exact", names(exact.Items), []string{"one"}),
			want("not older", names(newer.Items), []string{"one", "two"}),
			want("cached", len(cached.Items) > 0, true),
		)
	})},
	{"dynamic: field and label selectors", inRoom(func(ctx context.Context, w *world, r *room) error {
		for _, name := range []string{"a", "b", "c"} {
			if _, err := r.create(ctx, name, "name", name); err != nil {
				return err
			}
		}
		byField, err := r.tenants.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=b"})
		if err != nil {
			return err
		}
		everywhere, err := r.dynamic.Resource(tenants).List(ctx, metav1.ListOptions{FieldSelector: "metadata.namespace=" + r.namespace, LabelSelector: "name in (a,c)"})
		if err != nil {
			return err
		}
		_, unknown := r.tenants.List(ctx, metav1.ListOptions{FieldSelector: "spec.dataStore=default"})
		return first(
			want("field", names(byField.Items), []string{"b"}),
			want("both", names(everywhere.Items), []string{"a", "c"}),
			wantError("unknown field", unknown, apierrors.IsBadRequest),
		)
	})},
	{"dynamic: warnings reach the client's handler", inRoom(func(ctx context.Context, w *world, r *room) error {
		heard := &warnings{}
		config := rest.CopyConfig(w.config)
		config.WarningHandler = heard
		client, err := dynamic.NewForConfig(config)
		if err != nil {
			return err
		}
		object := r.tenant("one")
		object.Object["spec"].(map[string]any)["nope"] = true
		if _, err := client.Resource(tenants).Namespace(r.namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
		return want("warnings", heard.texts, []string{`unknown field "spec.nope"`})
	})},
	{"metadata client: get, list, patch, delete and deletecollection", inRoom(func(ctx context.Context, w *world, r *room) error {
		client, err := metadata.NewForConfig(w.config)
		if err != nil {
			return err
		}
		metas := client.Resource(tenants).Namespace(r.namespace)
		if err := r.createMany(ctx, "m", 5); err != nil {
			return err
		}
		one, err := metas.Get(ctx, "m-000", metav1.GetOptions{})
		if err != nil {
			return err
		}
		patched, err := metas.Patch(ctx, "m-000", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
		if err != nil {
			return err
		}
		_, strategic := metas.Patch(ctx, "m-000", types.StrategicMergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
		list, err := metas.List(ctx, metav1.ListOptions{LabelSelector: "a=b"})
		if err != nil {
			return err
		}
		if err := metas.Delete(ctx, "m-001", metav1.DeleteOptions{}); err != nil {
			return err
		}
		if err := metas.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			return err
		}
		left, err := metas.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		return first(
			want("name", one.Name, "m-000"), want("uid", one.UID != "", true),
			want("label", patched.Labels["a"], "b"),
			wantError("strategic", strategic, apierrors.IsUnsupportedMediaType),
			want("list", len(list.Items), 1), want("left", len(left.Items), 0), want("revision", left.ResourceVersion != "", true),
		)
	})},
	{"rest client: a Table whose rows hold metadata", inRoom(func(ctx context.Context, w *world, r *room) error {
		if err := r.createMany(ctx, "t", 3); err != nil {
			return err
		}
		body, err := r.request("").
			SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(ctx)
		if err != nil {
			return err
		}
		var table metav1.Table
		if err := json.Unmarshal(body, &table); err != nil {
			return err
		}
		if len(table.Rows) != 3 {
			return fmt.Errorf("%d rows", len(table.Rows))
		}
		var row metav1.PartialObjectMetadata
		if err := json.Unmarshal(table.Rows[0].Object.Raw, &row); err != nil {
			return err
		}
		return first(want("name", row.Name, "t-000"), want("kind", row.Kind, "PartialObjectMetadata"), want("cells", len(table.Rows[0].Cells), len(table.ColumnDefinitions)))
	})},
}
