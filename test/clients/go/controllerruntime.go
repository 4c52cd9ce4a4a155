package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func emptyTenant() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(tenantKind)
	return u
}

func emptyTenants() *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(tenantKind.GroupVersion().WithKind("TenantControlPlaneList"))
	return list
}

func withClient(run func(ctx context.Context, w *world, r *room, c client.Client) error) func(context.Context, *world) error {
	return inRoom(func(ctx context.Context, w *world, r *room) error {
		c, err := client.New(w.config, client.Options{})
		if err != nil {
			return err
		}
		return run(ctx, w, r, c)
	})
}

// tenantManager reconciles tenants of the room: it writes `seen` and its own name into the status. `did` counts what it did.
func (r *room) tenantManager(base *rest.Config, name string, did *atomic.Int64) (manager.Manager, error) {
	m, err := manager.New(base, manager.Options{
		Scheme:                        clientgoscheme.Scheme,
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{r.namespace: {}}},
		Metrics:                       metricsserver.Options{BindAddress: "0"},
		LeaderElection:                true,
		LeaderElectionID:              "clients-judge",
		LeaderElectionNamespace:       r.namespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 ptr.To(4 * time.Second),
		RenewDeadline:                 ptr.To(3 * time.Second),
		RetryPeriod:                   ptr.To(500 * time.Millisecond),
		Controller:                    config.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		return nil, err
	}
	c := m.GetClient()
	err = builder.ControllerManagedBy(m).Named("tenants").For(emptyTenant()).Complete(reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		tenant := emptyTenant()
		if err := c.Get(ctx, request.NamespacedName, tenant); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		if nested(tenant, "status", "controlPlaneEndpoint") != nil {
			return reconcile.Result{}, nil
		}
		before := tenant.DeepCopy()
		if err := unstructured.SetNestedField(tenant.Object, name+":1", "status", "controlPlaneEndpoint"); err != nil {
			return reconcile.Result{}, err
		}
		did.Add(1)
		return reconcile.Result{}, c.Status().Patch(ctx, tenant, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	}))
	return m, err
}

// reported waits until every object of the room has a status, and counts by whom.
func (r *room) reported(ctx context.Context, count int) (map[string]int, error) {
	by := map[string]int{}
	err := eventually(ctx, 30*time.Second, func() error {
		list, err := r.tenants.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		clear(by)
		for i := range list.Items {
			if endpoint, ok := nested(&list.Items[i], "status", "controlPlaneEndpoint").(string); ok {
				by[endpoint]++
			}
		}
		total := 0
		for _, n := range by {
			total += n
		}
		return want("reported", total, count)
	})
	return by, err
}

var controllerRuntimeCases = []testCase{
	{"controller-runtime client: create, patch with a lock, status, list, delete all", withClient(func(ctx context.Context, _ *world, r *room, c client.Client) error {
		for _, name := range []string{"a", "b", "c"} {
			if err := c.Create(ctx, r.tenant(name, "set", "one"), client.FieldOwner("crt"), client.FieldValidation("Strict")); err != nil {
				return err
			}
		}
		key := client.ObjectKey{Namespace: r.namespace, Name: "a"}
		current := emptyTenant()
		if err := c.Get(ctx, key, current); err != nil {
			return err
		}
		stale := current.DeepCopy()
		changed := current.DeepCopy()
		changed.SetAnnotations(map[string]string{"x": "y"})
		if err := c.Patch(ctx, changed, client.MergeFromWithOptions(current, client.MergeFromWithOptimisticLock{})); err != nil {
			return err
		}
		late := stale.DeepCopy()
		late.SetAnnotations(map[string]string{"x": "z"})
		conflict := c.Patch(ctx, late, client.MergeFromWithOptions(stale, client.MergeFromWithOptimisticLock{}))
		strategic := c.Patch(ctx, late, client.StrategicMergeFrom(stale))
		if err := unstructured.SetNestedField(changed.Object, "here:1", "status", "controlPlaneEndpoint"); err != nil {
			return err
		}
		if err := c.Status().Update(ctx, changed); err != nil {
			return err
		}
		page := emptyTenants()
		if err := c.List(ctx, page, client.InNamespace(r.namespace), client.MatchingLabels{"set": "one"}, client.Limit(2)); err != nil {
			return err
		}
		rest := emptyTenants()
		if err := c.List(ctx, rest, client.InNamespace(r.namespace), client.MatchingLabels{"set": "one"}, client.Limit(2), client.Continue(page.GetContinue())); err != nil {
			return err
		}
		metas := &metav1.PartialObjectMetadataList{}
		metas.SetGroupVersionKind(tenantKind.GroupVersion().WithKind("TenantControlPlaneList"))
		if err := c.List(ctx, metas, client.InNamespace(r.namespace)); err != nil {
			return err
		}
		if err := c.DeleteAllOf(ctx, emptyTenant(), client.InNamespace(r.namespace), client.MatchingLabels{"set": "one"}); err != nil {
			return err
		}
		missing := c.Get(ctx, key, emptyTenant())
		return first(
			wantError("conflict", conflict, apierrors.IsConflict),
			wantError("strategic", strategic, func(err error) bool { return err != nil }),
			want("status", nested(changed, "status", "controlPlaneEndpoint"), any("here:1")),
			want("pages", append(names(page.Items), names(rest.Items)...), []string{"a", "b", "c"}),
			want("metadata", len(metas.Items), 3),
			wantError("deleted", missing, apierrors.IsNotFound),
		)
	})},
	{"controller-runtime client: subresources scale and kubeconfig", withClient(func(ctx context.Context, _ *world, r *room, c client.Client) error {
		object := r.tenant("one")
		if err := c.Create(ctx, object); err != nil {
			return err
		}
		scale := &unstructured.Unstructured{}
		scale.SetAPIVersion("autoscaling/v1")
		scale.SetKind("Scale")
		if err := c.SubResource("scale").Get(ctx, object, scale); err != nil {
			return err
		}
		if err := unstructured.SetNestedField(scale.Object, int64(4), "spec", "replicas"); err != nil {
			return err
		}
		if err := c.SubResource("scale").Update(ctx, object, client.WithSubResourceBody(scale)); err != nil {
			return err
		}
		if err := c.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		// There is no control plane behind the tenant: a refusal that says so and when to come again, and not a broken answer.
		refused := r.request("/one/kubeconfig").Do(ctx).Error()
		return first(
			want("replicas", nested(object, "spec", "controlPlane", "deployment", "replicas"), any(int64(4))),
			wantError("kubeconfig", refused, func(err error) bool {
				_, later := apierrors.SuggestsClientDelay(err)
				return apierrors.IsServiceUnavailable(err) && later
			}),
		)
	})},
	{"controller-runtime client: Apply creates, owns, conflicts and is forced, the status too", withClient(func(ctx context.Context, _ *world, r *room, c client.Client) error {
		apply := func(object *unstructured.Unstructured, options ...client.ApplyOption) error {
			return c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), options...)
		}
		if err := apply(r.tenant("one", "a", "1"), client.FieldOwner("first")); err != nil {
			return err
		}
		conflict := apply(r.tenant("one", "a", "2"), client.FieldOwner("second"))
		if err := apply(r.tenant("one", "a", "2"), client.FieldOwner("second"), client.ForceOwnership); err != nil {
			return err
		}
		status := emptyTenant()
		status.SetName("one")
		status.SetNamespace(r.namespace)
		if err := unstructured.SetNestedField(status.Object, "here:1", "status", "controlPlaneEndpoint"); err != nil {
			return err
		}
		if err := c.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(status), client.FieldOwner("reporter")); err != nil {
			return err
		}
		got, err := r.tenants.Get(ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return first(
			wantError("conflict", conflict, apierrors.IsConflict),
			want("label", got.GetLabels()["a"], "2"),
			want("status", nested(got, "status", "controlPlaneEndpoint"), any("here:1")),
			want("managers", len(got.GetManagedFields()), 3),
		)
	})},
	{"controller-runtime utilities: CreateOrUpdate, CreateOrPatch, owner references, finalizers", withClient(func(ctx context.Context, _ *world, r *room, c client.Client) error {
		owner := r.tenant("owner")
		if err := c.Create(ctx, owner); err != nil {
			return err
		}
		mutate := func(object *unstructured.Unstructured, label string) controllerutil.MutateFn {
			return func() error {
				if object.GetResourceVersion() == "" {
					object.Object["spec"] = r.tenant("x").Object["spec"]
				}
				object.SetLabels(map[string]string{"is": label})
				controllerutil.AddFinalizer(object, "example.com/hold")
				return controllerutil.SetControllerReference(owner, object, clientgoscheme.Scheme)
			}
		}
		var results []controllerutil.OperationResult
		object := emptyTenant()
		object.SetName("owned")
		object.SetNamespace(r.namespace)
		for _, label := range []string{"one", "one", "two"} {
			result, err := controllerutil.CreateOrUpdate(ctx, c, object, mutate(object, label))
			if err != nil {
				return err
			}
			results = append(results, result)
		}
		for _, label := range []string{"two", "three"} {
			result, err := controllerutil.CreateOrPatch(ctx, c, object, mutate(object, label))
			if err != nil {
				return err
			}
			results = append(results, result)
		}
		if err := c.Delete(ctx, object); err != nil {
			return err
		}
		if err := c.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		ending := object.GetDeletionTimestamp() != nil
		before := object.DeepCopy()
		controllerutil.RemoveFinalizer(object, "example.com/hold")
		if err := c.Patch(ctx, object, client.MergeFrom(before)); err != nil {
			return err
		}
		gone := c.Get(ctx, client.ObjectKeyFromObject(object), emptyTenant())
		return first(
			want("results", results, []controllerutil.OperationResult{"created", "unchanged", "updated", "unchanged", "updated"}),
			want("ending", ending, true),
			wantError("gone", gone, apierrors.IsNotFound),
		)
	})},
	{"controller-runtime cache: objects and metadata, with an index, follow the server", inRoom(func(ctx context.Context, w *world, r *room) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if err := r.createMany(ctx, "c", 30); err != nil {
			return err
		}
		c, err := cache.New(w.config, cache.Options{Scheme: runtime.NewScheme(), DefaultNamespaces: map[string]cache.Config{r.namespace: {}}})
		if err != nil {
			return err
		}
		indexed := emptyTenant()
		if err := c.IndexField(ctx, indexed, "version", func(object client.Object) []string {
			return []string{fmt.Sprint(nested(object.(*unstructured.Unstructured), "spec", "kubernetes", "version"))}
		}); err != nil {
			return err
		}
		go func() { _ = c.Start(ctx) }()
		if !c.WaitForCacheSync(ctx) {
			return fmt.Errorf("never synced")
		}
		meta := &metav1.PartialObjectMetadata{}
		meta.SetGroupVersionKind(tenantKind)
		if err := c.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: "c-007"}, meta); err != nil {
			return err
		}
		if _, err := r.label(ctx, "c-003", `{"a":"b"}`); err != nil {
			return err
		}
		if err := r.tenants.Delete(ctx, "c-029", metav1.DeleteOptions{}); err != nil {
			return err
		}
		return first(
			want("uid", meta.UID != "", true),
			eventually(ctx, 20*time.Second, func() error {
				all, labelled := emptyTenants(), emptyTenants()
				metas := &metav1.PartialObjectMetadataList{}
				metas.SetGroupVersionKind(tenantKind.GroupVersion().WithKind("TenantControlPlaneList"))
				if err := first(
					c.List(ctx, all, client.MatchingFields{"version": "v1.36.1"}),
					c.List(ctx, labelled, client.MatchingLabels{"a": "b"}),
					c.List(ctx, metas),
				); err != nil {
					return err
				}
				return first(want("index", len(all.Items), 29), want("labelled", names(labelled.Items), []string{"c-003"}), want("metadata", len(metas.Items), 29))
			}),
		)
	})},
	{"controller-runtime manager: one leader reconciles all, the next takes over", inRoom(func(ctx context.Context, w *world, r *room) error {
		firstCtx, stopFirst := context.WithCancel(ctx)
		secondCtx, stopSecond := context.WithCancel(ctx)
		defer stopFirst()
		defer stopSecond()
		var firstDid, secondDid atomic.Int64
		ended := make(chan error, 2)
		one, err := r.tenantManager(w.config, "first", &firstDid)
		if err != nil {
			return err
		}
		go func() { ended <- one.Start(firstCtx) }()
		<-one.Elected()
		two, err := r.tenantManager(w.config, "second", &secondDid)
		if err != nil {
			return err
		}
		go func() { ended <- two.Start(secondCtx) }()
		if err := r.createMany(ctx, "before", 10); err != nil {
			return err
		}
		before, err := r.reported(ctx, 10)
		if err != nil {
			return err
		}
		stopFirst()
		if err := <-ended; err != nil {
			return err
		}
		<-two.Elected()
		if err := r.createMany(ctx, "after", 10); err != nil {
			return err
		}
		after, err := r.reported(ctx, 20)
		if err != nil {
			return err
		}
		stopSecond()
		return first(
			want("before", before["first:1"], 10),
			want("after", after, map[string]int{"first:1": 10, "second:1": 10}),
			<-ended,
		)
	})},
	{"controller-runtime client: twenty concurrent status patches without a lock all arrive", withClient(func(ctx context.Context, _ *world, r *room, c client.Client) error {
		object := r.tenant("one")
		if err := c.Create(ctx, object); err != nil {
			return err
		}
		failures := make(chan error, 20)
		for i := range 20 {
			go func() {
				patch := []byte(fmt.Sprintf(`{"metadata":{"annotations":{"a%d":"x"}}}`, i))
				failures <- c.Patch(ctx, object.DeepCopy(), client.RawPatch(types.MergePatchType, patch))
			}()
		}
		for range 20 {
			if err := <-failures; err != nil {
				return err
			}
		}
		if err := c.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		return want("annotations", len(object.GetAnnotations()), 20)
	})},
}
