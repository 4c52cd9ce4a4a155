package main

import (
	"context"
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
)

var (
	groupVersion = schema.GroupVersion{Group: "kamaji.io", Version: "v1alpha1"}
	tenants      = groupVersion.WithResource("tenantcontrolplanes")
	dataStores   = groupVersion.WithResource("datastores")
	tenantKind   = groupVersion.WithKind("TenantControlPlane")
)

// prepare makes what all cases need.
func (w *world) prepare(ctx context.Context) error {
	client, err := dynamic.NewForConfig(w.config)
	if err != nil {
		return err
	}
	secret := func(key string) map[string]any {
		return map[string]any{"secretReference": map[string]any{"name": "etcd", "namespace": "kamaji-system", "keyPath": key}}
	}
	store := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kamaji.io/v1alpha1", "kind": "DataStore", "metadata": map[string]any{"name": "default"},
		"spec": map[string]any{
			"driver": "etcd", "endpoints": []any{"etcd.kamaji-system.svc:2379"},
			"tlsConfig": map[string]any{
				"certificateAuthority": map[string]any{"certificate": secret("ca.crt"), "privateKey": secret("ca.key")},
				"clientCertificate":    map[string]any{"certificate": secret("tls.crt"), "privateKey": secret("tls.key")},
			},
		},
	}}
	_, err = client.Resource(dataStores).Create(ctx, store, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// room is a namespace of a case's own, with clients.
type room struct {
	namespace string
	dynamic   dynamic.Interface
	core      kubernetes.Interface
	tenants   dynamic.ResourceInterface
}

// newRoom makes a fresh namespace.
func (w *world) newRoom(ctx context.Context) (*room, error) {
	dyn, err := dynamic.NewForConfig(w.config)
	if err != nil {
		return nil, err
	}
	core, err := kubernetes.NewForConfig(w.config)
	if err != nil {
		return nil, err
	}
	ns, err := core.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "go-"}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return &room{namespace: ns.Name, dynamic: dyn, core: core, tenants: dyn.Resource(tenants).Namespace(ns.Name)}, nil
}

// tenant is the smallest one, with labels given as key, value, key, value.
func (r *room) tenant(name string, labels ...string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"dataStore":    "default",
			"controlPlane": map[string]any{"deployment": map[string]any{"replicas": int64(1)}, "service": map[string]any{"serviceType": "ClusterIP"}},
			"kubernetes":   map[string]any{"version": "v1.36.1"},
		},
	}}
	u.SetGroupVersionKind(tenantKind)
	u.SetName(name)
	u.SetNamespace(r.namespace)
	if len(labels) > 0 {
		m := map[string]string{}
		for i := 0; i+1 < len(labels); i += 2 {
			m[labels[i]] = labels[i+1]
		}
		u.SetLabels(m)
	}
	return u
}

func (r *room) create(ctx context.Context, name string, labels ...string) (*unstructured.Unstructured, error) {
	return r.tenants.Create(ctx, r.tenant(name, labels...), metav1.CreateOptions{})
}

// createMany makes prefix-000, prefix-001, ...
func (r *room) createMany(ctx context.Context, prefix string, count int) error {
	for i := range count {
		if _, err := r.create(ctx, fmt.Sprintf("%s-%03d", prefix, i)); err != nil {
			return err
		}
	}
	return nil
}

func want[T any](what string, got, expected T) error {
	if !reflect.DeepEqual(got, expected) {
		return fmt.Errorf("%s: got %v, want %v", what, got, expected)
	}
	return nil
}

// wantError says what is wrong unless `is` accepts the error.
func wantError(what string, err error, is func(error) bool) error {
	if err == nil {
		return fmt.Errorf("%s: no error", what)
	}
	if !is(err) {
		return fmt.Errorf("%s: another error: %T %w", what, err, err)
	}
	return nil
}

// first is the first of some checks that failed.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// eventually polls until check has no complaint.
func eventually(ctx context.Context, timeout time.Duration, check func() error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, timeout, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil && last != nil {
		return last
	}
	return err
}

func nested(u *unstructured.Unstructured, path ...string) any {
	value, _, _ := unstructured.NestedFieldNoCopy(u.Object, path...)
	return value
}
