package main

import (
	"context"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// flux is what Flux' kustomize-controller works with.
func (w *world) flux() (*ssa.ResourceManager, error) {
	c, err := client.New(w.config, client.Options{})
	if err != nil {
		return nil, err
	}
	poller := polling.NewStatusPoller(c, c.RESTMapper(), polling.Options{})
	return ssa.NewResourceManager(c, poller, ssa.Owner{Field: "flux", Group: "clients.example.com"}), nil
}

func withFlux(run func(ctx context.Context, r *room, m *ssa.ResourceManager) error) func(context.Context, *world) error {
	return inRoom(func(ctx context.Context, w *world, r *room) error {
		m, err := w.flux()
		if err != nil {
			return err
		}
		return run(ctx, r, m)
	})
}

func actions(set *ssa.ChangeSet) map[string]ssa.Action {
	found := map[string]ssa.Action{}
	for _, entry := range set.Entries {
		found[entry.ObjMetadata.Name] = entry.Action
	}
	return found
}

var fluxCases = []testCase{
	{"Flux: what it applies is created, unchanged, configured, and drift is undone", withFlux(func(ctx context.Context, r *room, m *ssa.ResourceManager) error {
		set := func(labels ...string) []*unstructured.Unstructured {
			return []*unstructured.Unstructured{r.tenant("one", labels...), r.tenant("two")}
		}
		var told []map[string]ssa.Action
		apply := func(objects []*unstructured.Unstructured) error {
			changes, err := m.ApplyAll(ctx, objects, ssa.DefaultApplyOptions())
			if err == nil {
				told = append(told, actions(changes))
			}
			return err
		}
		drift := func() error {
			_, err := r.tenants.Patch(ctx, "one", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"drift"}}}`), metav1.PatchOptions{FieldManager: "somebody"})
			return err
		}
		if err := first(apply(set()), apply(set()), apply(set("a", "b")), drift(), apply(set("a", "b"))); err != nil {
			return err
		}
		got, err := r.tenants.Get(ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return first(
			want("told", told, []map[string]ssa.Action{
				{"one": ssa.CreatedAction, "two": ssa.CreatedAction},
				{"one": ssa.UnchangedAction, "two": ssa.UnchangedAction},
				{"one": ssa.ConfiguredAction, "two": ssa.UnchangedAction},
				{"one": ssa.ConfiguredAction, "two": ssa.UnchangedAction},
			}),
			want("label", got.GetLabels()["a"], "b"),
		)
	})},
	{"Flux: a difference is seen without being applied", withFlux(func(ctx context.Context, r *room, m *ssa.ResourceManager) error {
		if _, err := m.Apply(ctx, r.tenant("one"), ssa.DefaultApplyOptions()); err != nil {
			return err
		}
		same, _, _, err := m.Diff(ctx, r.tenant("one"), ssa.DefaultDiffOptions())
		if err != nil {
			return err
		}
		other, live, merged, err := m.Diff(ctx, r.tenant("one", "a", "b"), ssa.DefaultDiffOptions())
		if err != nil {
			return err
		}
		return first(
			want("same", same.Action, ssa.UnchangedAction),
			want("other", other.Action, ssa.ConfiguredAction),
			want("live", len(live.GetLabels()), 0),
			want("merged", merged.GetLabels()["a"], "b"),
		)
	})},
	{"Flux: takes over what kubectl has applied", withFlux(func(ctx context.Context, r *room, m *ssa.ResourceManager) error {
		object := r.tenant("one", "a", "kubectl", "goes", "away")
		object.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}"})
		if _, err := r.tenants.Create(ctx, object, metav1.CreateOptions{FieldManager: "kubectl-client-side-apply"}); err != nil {
			return err
		}
		options := ssa.DefaultApplyOptions()
		options.Cleanup = ssa.ApplyCleanupOptions{
			Annotations:   []string{"kubectl.kubernetes.io/last-applied-configuration"},
			FieldManagers: []ssa.FieldManager{{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate}},
		}
		for range 2 {
			if _, err := m.Apply(ctx, r.tenant("one", "a", "flux"), options); err != nil {
				return err
			}
		}
		got, err := r.tenants.Get(ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return first(
			want("labels", got.GetLabels(), map[string]string{"a": "flux"}),
			want("annotations", len(got.GetAnnotations()), 0),
			want("managers", managersOf(got), []string{"flux Apply"}),
		)
	})},
	{"Flux: waits for readiness, deletes, and waits for the end", withFlux(func(ctx context.Context, r *room, m *ssa.ResourceManager) error {
		objects := []*unstructured.Unstructured{r.tenant("one")}
		changes, err := m.ApplyAll(ctx, objects, ssa.DefaultApplyOptions())
		if err != nil {
			return err
		}
		ready := func(status string) error {
			patch := `{"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"` + status + `","reason":"Tested","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`
			_, err := r.tenants.Patch(ctx, "one", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
			return err
		}
		if err := ready("False"); err != nil {
			return err
		}
		options := ssa.WaitOptions{Interval: 200 * time.Millisecond, Timeout: time.Second}
		tooEarly := m.Wait(objects, options)
		if err := ready("True"); err != nil {
			return err
		}
		options.Timeout = 10 * time.Second
		if err := m.WaitForSet(changes.ToObjMetadataSet(), options); err != nil {
			return err
		}
		deleted, err := m.DeleteAll(ctx, objects, ssa.DefaultDeleteOptions())
		if err != nil {
			return err
		}
		return first(
			want("too early", tooEarly != nil, true),
			want("deleted", actions(deleted), map[string]ssa.Action{"one": ssa.DeletedAction}),
			m.WaitForTermination(objects, options),
		)
	})},
}
