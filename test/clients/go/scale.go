package main

import (
	"context"
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

// scales is the client that autoscalers and disruption budgets have.
func (w *world) scales() (scale.ScalesGetter, error) {
	client, err := w.discovery()
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
	return scale.NewForConfig(w.config, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(client))
}

var scaleCases = []testCase{
	{"scale client: get, update, patch, and a conflict", inRoom(func(ctx context.Context, w *world, r *room) error {
		getter, err := w.scales()
		if err != nil {
			return err
		}
		scales := getter.Scales(r.namespace)
		created, err := r.create(ctx, "one")
		if err != nil {
			return err
		}
		got, err := scales.Get(ctx, tenants.GroupResource(), "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		stale := got.DeepCopy()
		got.Spec.Replicas = 3
		updated, err := scales.Update(ctx, tenants.GroupResource(), got, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		stale.Spec.Replicas = 7
		_, conflict := scales.Update(ctx, tenants.GroupResource(), stale, metav1.UpdateOptions{})
		patched, err := scales.Patch(ctx, tenants, "one", types.MergePatchType, []byte(`{"spec":{"replicas":2}}`), metav1.PatchOptions{})
		if err != nil {
			return err
		}
		_, negative := scales.Patch(ctx, tenants, "one", types.MergePatchType, []byte(`{"spec":{"replicas":-2}}`), metav1.PatchOptions{})
		_, missing := scales.Get(ctx, tenants.GroupResource(), "nobody", metav1.GetOptions{})
		return first(
			want("uid", got.UID, created.GetUID()),
			want("updated", updated.Spec.Replicas, int32(3)),
			want("patched", patched.Spec.Replicas, int32(2)),
			wantError("conflict", conflict, apierrors.IsConflict),
			wantError("negative", negative, apierrors.IsInvalid),
			wantError("missing", missing, apierrors.IsNotFound),
		)
	})},
	{"scale client: replicas and selector of the status", inRoom(func(ctx context.Context, w *world, r *room) error {
		getter, err := w.scales()
		if err != nil {
			return err
		}
		if _, err := r.create(ctx, "one"); err != nil {
			return err
		}
		status := `{"status":{"kubernetesResources":{"deployment":{"name":"one","namespace":"x","replicas":1,"selector":"a=b"}}}}`
		if _, err := r.tenants.Patch(ctx, "one", types.MergePatchType, []byte(status), metav1.PatchOptions{}, "status"); err != nil {
			return err
		}
		got, err := getter.Scales(r.namespace).Get(ctx, tenants.GroupResource(), "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return want("status", got.Status, autoscalingv1.ScaleStatus{Replicas: 1, Selector: "a=b"})
	})},
	{"scale client: no scale where there is none", func(ctx context.Context, w *world) error {
		getter, err := w.scales()
		if err != nil {
			return err
		}
		_, none := getter.Scales("").Get(ctx, dataStores.GroupResource(), "default", metav1.GetOptions{})
		if none == nil {
			return fmt.Errorf("a DataStore has a scale")
		}
		return nil
	}},
}
