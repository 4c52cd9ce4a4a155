// Package oracle answers what upstream's own field manager does with a sequence of writes. It is a test program because only there
// the clock can be set: `go test -c`, then one sequence a line of JSON on standard input, one line of results on standard output.
package oracle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/conversion"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// A Setup is the first line: the custom resources that sequences are about.
type Setup struct {
	CRDs map[string]*apiextensionsv1.CustomResourceDefinition `json:"crds"`
}

type Sequence struct {
	CRD       string      `json:"crd"`
	Writes    []Write     `json:"writes"`
	CreatedAt metav1.Time `json:"createdAt"`
}

// A Write goes to the object that the writes before it have left.
type Write struct {
	// update (which creates where nothing is), apply, scale or delete.
	Verb        string          `json:"verb"`
	Subresource string          `json:"subresource"`
	Object      json.RawMessage `json:"object"`
	Replicas    int32           `json:"replicas"`
	Manager     string          `json:"manager"`
	Force       bool            `json:"force"`
	// Not stored: the server refuses the object after its owners are found.
	Refused bool      `json:"refused"`
	Now     time.Time `json:"now"`
}

type Result struct {
	Object map[string]any `json:"object,omitempty"`
	Status *metav1.Status `json:"status,omitempty"`
}

// A Resource is what kube-apiserver makes of one version of a custom resource, as far as field ownership is concerned.
type Resource struct {
	kind         schema.GroupVersionKind
	managers     map[string]*managedfields.FieldManager
	replicasPath managedfields.ResourcePathMappings
	replicas     []string
}

type creater struct{}

func (creater) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object, nil
}

// Defaults change nobody's ownership.
type noDefaulter struct{}

func (noDefaulter) Default(runtime.Object) {}

var scaleKind = autoscalingv1.SchemeGroupVersion.WithKind("Scale")

func newResource(crd *apiextensionsv1.CustomResourceDefinition) (*Resource, error) {
	version := crd.Spec.Versions[0]
	document, err := builder.BuildOpenAPIV3(crd, version.Name, builder.Options{})
	if err != nil {
		return nil, err
	}
	models := document.Components.Schemas
	if scale, ok := models["io.k8s.api.autoscaling.v1.Scale"]; ok {
		scale.AddExtension("x-kubernetes-group-version-kind", []any{
			map[string]any{"group": scaleKind.Group, "version": scaleKind.Version, "kind": scaleKind.Kind},
		})
	}
	typeConverter, err := managedfields.NewTypeConverter(map[string]*spec.Schema(models), false)
	if err != nil {
		return nil, err
	}
	factory, err := conversion.NewCRConverterFactory(nil, nil)
	if err != nil {
		return nil, err
	}
	converter, _, err := factory.NewConverter(crd)
	if err != nil {
		return nil, err
	}
	kind := schema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}
	apiVersion := fieldpath.APIVersion(kind.GroupVersion().String())
	resource := &Resource{
		kind:         kind,
		managers:     map[string]*managedfields.FieldManager{},
		replicasPath: managedfields.ResourcePathMappings{kind.GroupVersion().String(): nil},
	}
	add := func(subresource string, kind schema.GroupVersionKind, reset *fieldpath.Set) error {
		resetFields := map[fieldpath.APIVersion]*fieldpath.Set{}
		if reset != nil {
			resetFields[apiVersion] = reset
		}
		manager, err := managedfields.NewDefaultCRDFieldManager(typeConverter, converter, noDefaulter{}, creater{}, kind,
			resource.kind.GroupVersion(), subresource, fieldpath.NewExcludeFilterSetMap(resetFields))
		resource.managers[subresource] = manager
		return err
	}
	var mainReset *fieldpath.Set
	if version.Subresources != nil && version.Subresources.Status != nil {
		mainReset = fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
		statusReset := fieldpath.NewSet(fieldpath.MakePathOrDie("metadata"), fieldpath.MakePathOrDie("spec"))
		if err := add("status", kind, statusReset); err != nil {
			return nil, err
		}
	}
	if version.Subresources != nil && version.Subresources.Scale != nil {
		resource.replicas = strings.Split(strings.TrimPrefix(version.Subresources.Scale.SpecReplicasPath, "."), ".")
		path := fieldpath.Path{}
		for _, name := range resource.replicas {
			path = append(path, fieldpath.FieldNameElement(name))
		}
		resource.replicasPath[kind.GroupVersion().String()] = path
		if err := add("scale", scaleKind, nil); err != nil {
			return nil, err
		}
	}
	return resource, add("", kind, mainReset)
}

func decode(text []byte) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal(text, &object.Object); err != nil {
		return nil, err
	}
	return object, nil
}

// What a client sends: as in a real request, a list that is empty is told from none.
func (r *Resource) run(write Write, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	manager := r.managers[write.Subresource]
	if manager == nil {
		return nil, fmt.Errorf("no subresource %q", write.Subresource)
	}
	if write.Verb == "scale" {
		return r.runScale(write, live)
	}
	object, err := decode(write.Object)
	if err != nil {
		return nil, err
	}
	before := runtime.Object(live)
	if live == nil {
		if before, err = (creater{}).New(r.kind); err != nil {
			return nil, err
		}
	}
	before = before.DeepCopyObject()
	var after runtime.Object
	if write.Verb == "apply" {
		after, err = manager.Apply(before, object, write.Manager, write.Force)
		if err != nil {
			return nil, err
		}
	} else {
		after = manager.UpdateNoErrors(before, object, write.Manager)
	}
	return after.(*unstructured.Unstructured), nil
}

// As ScaleREST.Update and scaleUpdatedObjectInfo in apiextensions-apiserver/pkg/registry/customresource do it.
func (r *Resource) runScale(write Write, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	handler := managedfields.NewScaleHandler(live.GetManagedFields(), r.kind.GroupVersion(), r.replicasPath)
	entries, err := handler.ToSubresource()
	if err != nil {
		return nil, err
	}
	replicas, _, err := unstructured.NestedInt64(live.Object, r.replicas...)
	if err != nil {
		return nil, err
	}
	before := &autoscalingv1.Scale{
		TypeMeta:   metav1.TypeMeta{APIVersion: "autoscaling/v1", Kind: "Scale"},
		ObjectMeta: metav1.ObjectMeta{Name: live.GetName(), Namespace: live.GetNamespace(), UID: live.GetUID(), ManagedFields: entries},
		Spec:       autoscalingv1.ScaleSpec{Replicas: int32(replicas)},
	}
	next := before.DeepCopy()
	next.ManagedFields = nil
	next.Spec.Replicas = write.Replicas
	after := r.managers["scale"].UpdateNoErrors(before, next, write.Manager).(*autoscalingv1.Scale)
	if entries, err = handler.ToParent(after.ManagedFields); err != nil {
		return nil, err
	}
	object := live.DeepCopy()
	if err := unstructured.SetNestedField(object.Object, int64(after.Spec.Replicas), r.replicas...); err != nil {
		return nil, err
	}
	object.SetManagedFields(entries)
	return object, nil
}

// What the strategy of a custom resource lets through to storage.
func store(write Write, live, after *unstructured.Unstructured, createdAt metav1.Time) *unstructured.Unstructured {
	stored := after.DeepCopy()
	if live == nil {
		delete(stored.Object, "status")
		stored.SetUID("11111111-2222-3333-4444-555555555555")
		stored.SetCreationTimestamp(createdAt)
		return stored
	}
	keep, from := stored, live
	if write.Subresource == "status" {
		keep, from = live.DeepCopy(), stored
		keep.SetManagedFields(stored.GetManagedFields())
	}
	if status, ok := from.Object["status"]; ok {
		keep.Object["status"] = status
	} else {
		delete(keep.Object, "status")
	}
	keep.SetUID(live.GetUID())
	keep.SetCreationTimestamp(live.GetCreationTimestamp())
	return keep
}

func statusOf(err error) *metav1.Status {
	var known apierrors.APIStatus
	if errors.As(err, &known) {
		status := known.Status()
		return &status
	}
	// As kube-apiserver writes errors that are no Status.
	return &metav1.Status{Status: metav1.StatusFailure, Code: 500, Message: err.Error()}
}

func (r *Resource) runAll(sequence Sequence) (results []Result) {
	var live *unstructured.Unstructured
	for _, write := range sequence.Writes {
		if write.Verb == "delete" {
			live = nil
			results = append(results, Result{})
			continue
		}
		if wait := time.Until(write.Now); wait > 0 {
			time.Sleep(wait)
		}
		after, err := r.run(write, live)
		if err != nil {
			results = append(results, Result{Status: statusOf(err)})
			continue
		}
		results = append(results, Result{Object: after.DeepCopy().Object})
		if !write.Refused {
			live = store(write, live, after, sequence.CreatedAt)
		}
	}
	return results
}

func TestServe(t *testing.T) {
	debug.SetGCPercent(400)
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := bufio.NewWriterSize(os.NewFile(3, "results"), 1<<20)
	line, err := input.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var setup Setup
	if err := json.Unmarshal(line, &setup); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		resources := map[string]*Resource{}
		for name, crd := range setup.CRDs {
			resource, err := newResource(crd)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			resources[name] = resource
		}
		for {
			line, err := input.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) == 0 && err != nil {
				return
			}
			var sequence Sequence
			if err := json.Unmarshal(line, &sequence); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(resources[sequence.CRD].runAll(sequence))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := output.Write(append(text, '\n')); err != nil {
				t.Fatal(err)
			}
			if err := output.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
