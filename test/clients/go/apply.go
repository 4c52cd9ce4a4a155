package main

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/util/csaupgrade"
)

// managersOf are "manager operation subresource" of each entry.
func managersOf(object *unstructured.Unstructured) []string {
	var found []string
	for _, entry := range object.GetManagedFields() {
		found = append(found, strings.TrimSpace(fmt.Sprintf("%s %s %s", entry.Manager, entry.Operation, entry.Subresource)))
	}
	return found
}

var applyCases = []testCase{
	{"apply: creates, and the second time changes nothing", inRoom(func(ctx context.Context, _ *world, r *room) error {
		created, err := r.tenants.Apply(ctx, "one", r.tenant("one", "a", "b"), metav1.ApplyOptions{FieldManager: "gitops"})
		if err != nil {
			return err
		}
		again, err := r.tenants.Apply(ctx, "one", r.tenant("one", "a", "b"), metav1.ApplyOptions{FieldManager: "gitops"})
		if err != nil {
			return err
		}
		return first(
			want("object", again.Object, created.Object),
			want("managers", managersOf(again), []string{"gitops Apply"}),
		)
	})},
	{"apply: a field that is no longer applied goes, one of another manager stays", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if _, err := r.tenants.Apply(ctx, "one", r.tenant("one", "mine", "1", "goes", "1"), metav1.ApplyOptions{FieldManager: "gitops"}); err != nil {
			return err
		}
		if _, err := r.tenants.Patch(ctx, "one", types.MergePatchType, []byte(`{"metadata":{"labels":{"theirs":"1"}}}`), metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
			return err
		}
		applied, err := r.tenants.Apply(ctx, "one", r.tenant("one", "mine", "1"), metav1.ApplyOptions{FieldManager: "gitops"})
		if err != nil {
			return err
		}
		return first(
			want("labels", applied.GetLabels(), map[string]string{"mine": "1", "theirs": "1"}),
			want("managers", managersOf(applied), []string{"gitops Apply", "somebody Update"}),
		)
	})},
	{"apply: a conflict names manager and field; force takes the field", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if _, err := r.tenants.Apply(ctx, "one", r.tenant("one", "a", "first"), metav1.ApplyOptions{FieldManager: "first"}); err != nil {
			return err
		}
		_, conflict := r.tenants.Apply(ctx, "one", r.tenant("one", "a", "second"), metav1.ApplyOptions{FieldManager: "second"})
		var causes []metav1.StatusCause
		if status, ok := conflict.(apierrors.APIStatus); ok && status.Status().Details != nil {
			causes = status.Status().Details.Causes
		}
		forced, err := r.tenants.Apply(ctx, "one", r.tenant("one", "a", "second"), metav1.ApplyOptions{FieldManager: "second", Force: true})
		if err != nil {
			return err
		}
		return first(
			wantError("conflict", conflict, apierrors.IsConflict),
			want("causes", causes, []metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "first"`, Field: ".metadata.labels.a"}}),
			want("label", forced.GetLabels()["a"], "second"),
		)
	})},
	{"apply: the status by its own endpoint and manager", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if _, err := r.tenants.Apply(ctx, "one", r.tenant("one"), metav1.ApplyOptions{FieldManager: "gitops"}); err != nil {
			return err
		}
		status := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{
			"controlPlaneEndpoint": "here:1",
			"conditions":           []any{map[string]any{"type": "Ready", "status": "True", "reason": "Tested", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}},
		}}}
		status.SetGroupVersionKind(tenantKind)
		status.SetName("one")
		applied, err := r.tenants.ApplyStatus(ctx, "one", status, metav1.ApplyOptions{FieldManager: "reporter"})
		if err != nil {
			return err
		}
		return first(
			want("status", nested(applied, "status", "controlPlaneEndpoint"), any("here:1")),
			want("managers", sets.New(managersOf(applied)...), sets.New("gitops Apply", "reporter Apply status")),
			want("spec", nested(applied, "spec", "dataStore"), any("default")),
		)
	})},
	{"apply: what a manager owns is extracted, changed and applied again", inRoom(func(ctx context.Context, w *world, r *room) error {
		if _, err := r.tenants.Apply(ctx, "one", r.tenant("one", "mine", "1"), metav1.ApplyOptions{FieldManager: "extractor"}); err != nil {
			return err
		}
		if _, err := r.tenants.Patch(ctx, "one", types.MergePatchType, []byte(`{"metadata":{"labels":{"theirs":"1"}}}`), metav1.PatchOptions{}); err != nil {
			return err
		}
		client, err := w.discovery()
		if err != nil {
			return err
		}
		extractor, err := applymetav1.NewUnstructuredExtractor(client)
		if err != nil {
			return err
		}
		live, err := r.tenants.Get(ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		mine, err := extractor.Extract(live, "extractor")
		if err != nil {
			return err
		}
		owned := map[string]string{}
		for key, value := range mine.GetLabels() {
			owned[key] = value
		}
		mine.SetLabels(map[string]string{"mine": "2"})
		applied, err := r.tenants.Apply(ctx, "one", mine, metav1.ApplyOptions{FieldManager: "extractor"})
		if err != nil {
			return err
		}
		return first(
			want("owned labels", owned, map[string]string{"mine": "1"}),
			want("owned replicas", nested(mine, "spec", "controlPlane", "deployment", "replicas"), any(int64(1))),
			want("labels", applied.GetLabels(), map[string]string{"mine": "2", "theirs": "1"}),
		)
	})},
	{"apply: managed fields of a client-side apply are upgraded by a JSON patch", inRoom(func(ctx context.Context, _ *world, r *room) error {
		created, err := r.tenants.Create(ctx, r.tenant("one", "a", "b"), metav1.CreateOptions{FieldManager: "kubectl-client-side-apply"})
		if err != nil {
			return err
		}
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(created, sets.New("kubectl-client-side-apply"), "kubectl")
		if err != nil {
			return err
		}
		if len(patch) == 0 {
			return fmt.Errorf("nothing to upgrade in %v", created.GetManagedFields())
		}
		if _, err := r.tenants.Patch(ctx, "one", types.JSONPatchType, patch, metav1.PatchOptions{}); err != nil {
			return err
		}
		applied, err := r.tenants.Apply(ctx, "one", r.tenant("one"), metav1.ApplyOptions{FieldManager: "kubectl"})
		if err != nil {
			return err
		}
		return first(want("labels", len(applied.GetLabels()), 0), want("managers", managersOf(applied), []string{"kubectl Apply"}))
	})},
	{"apply: ten managers at once each get their label", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if _, err := r.create(ctx, "one"); err != nil {
			return err
		}
		failures := make(chan error, 10)
		for i := range 10 {
			go func() {
				object := &unstructured.Unstructured{}
				object.SetGroupVersionKind(tenantKind)
				object.SetName("one")
				object.SetLabels(map[string]string{fmt.Sprintf("l%d", i): "x"})
				_, err := r.tenants.Apply(ctx, "one", object, metav1.ApplyOptions{FieldManager: fmt.Sprintf("m%d", i)})
				failures <- err
			}()
		}
		for range 10 {
			if err := <-failures; err != nil {
				return err
			}
		}
		got, err := r.tenants.Get(ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return want("labels", len(got.GetLabels()), 10)
	})},
	{"apply: a dry run, no manager, another kind", inRoom(func(ctx context.Context, _ *world, r *room) error {
		if _, err := r.tenants.Apply(ctx, "dry", r.tenant("dry"), metav1.ApplyOptions{FieldManager: "m", DryRun: []string{"All"}}); err != nil {
			return err
		}
		_, missing := r.tenants.Get(ctx, "dry", metav1.GetOptions{})
		_, nobody := r.tenants.Patch(ctx, "one", types.ApplyPatchType, []byte(`{"apiVersion":"kamaji.io/v1alpha1","kind":"TenantControlPlane"}`), metav1.PatchOptions{})
		_, kind := r.tenants.Patch(ctx, "one", types.ApplyPatchType, []byte(`{"apiVersion":"kamaji.io/v1alpha1","kind":"DataStore"}`), metav1.PatchOptions{FieldManager: "m"})
		return first(
			wantError("get", missing, apierrors.IsNotFound),
			wantError("no manager", nobody, apierrors.IsInvalid),
			wantError("kind", kind, apierrors.IsBadRequest),
		)
	})},
}
