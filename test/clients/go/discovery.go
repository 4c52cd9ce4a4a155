package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/disk"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/openapi3"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

// ourResources are the names and kinds of a resource list of our group.
func ourResources(lists []*metav1.APIResourceList) map[string]string {
	found := map[string]string{}
	for _, list := range lists {
		if list.GroupVersion != groupVersion.String() {
			continue
		}
		for _, resource := range list.APIResources {
			found[resource.Name] = resource.Kind
		}
	}
	return found
}

func checkResources(lists []*metav1.APIResourceList) error {
	found := ourResources(lists)
	return first(
		want("tenantcontrolplanes", found["tenantcontrolplanes"], "TenantControlPlane"),
		want("tenantcontrolplanes/status", found["tenantcontrolplanes/status"], "TenantControlPlane"),
		want("tenantcontrolplanes/scale", found["tenantcontrolplanes/scale"], "Scale"),
		want("datastores", found["datastores"], "DataStore"),
		want("kubeconfiggenerators", found["kubeconfiggenerators"], "KubeconfigGenerator"),
	)
}

func (w *world) discovery() (*discovery.DiscoveryClient, error) {
	return discovery.NewDiscoveryClientForConfig(w.config)
}

var discoveryCases = []testCase{
	{"discovery: the aggregated document names our resources", func(_ context.Context, w *world) error {
		client, err := w.discovery()
		if err != nil {
			return err
		}
		groups, resources, failed, err := client.GroupsAndMaybeResources()
		if err != nil {
			return err
		}
		if resources == nil {
			return fmt.Errorf("the cluster gave no aggregated document")
		}
		for gv, err := range failed {
			return fmt.Errorf("%v: %w", gv, err)
		}
		hasGroup := false
		for _, group := range groups.Groups {
			hasGroup = hasGroup || group.Name == groupVersion.Group && group.PreferredVersion.Version == groupVersion.Version
		}
		return first(want("group", hasGroup, true), checkResources([]*metav1.APIResourceList{resources[groupVersion]}))
	}},
	{"discovery: the legacy documents say the same", func(_ context.Context, w *world) error {
		client, err := w.discovery()
		if err != nil {
			return err
		}
		_, aggregated, err := client.ServerGroupsAndResources()
		if err != nil {
			return err
		}
		_, legacy, err := client.WithLegacy().ServerGroupsAndResources()
		if err != nil {
			return err
		}
		return first(checkResources(legacy), want("resources", ourResources(legacy), ourResources(aggregated)))
	}},
	{"discovery: one group and version by itself", func(_ context.Context, w *world) error {
		client, err := w.discovery()
		if err != nil {
			return err
		}
		list, err := client.ServerResourcesForGroupVersion(groupVersion.String())
		if err != nil {
			return err
		}
		return checkResources([]*metav1.APIResourceList{list})
	}},
	{"discovery: what garbage collector and quota take is deletable, listable and watchable", func(_ context.Context, w *world) error {
		client, err := w.discovery()
		if err != nil {
			return err
		}
		preferred, err := discovery.ServerPreferredResources(client)
		if err != nil {
			return err
		}
		deletable := discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"create", "list", "watch", "delete", "deletecollection"}}, preferred)
		var names []string
		for name := range ourResources(deletable) {
			names = append(names, name)
		}
		sort.Strings(names)
		return want("resources", names, []string{"datastores", "kubeconfiggenerators", "tenantcontrolplanes"})
	}},
	{"discovery: a memory cache is fresh again after it was invalidated", func(_ context.Context, w *world) error {
		client, err := w.discovery()
		if err != nil {
			return err
		}
		cached := memory.NewMemCacheClient(client)
		for range 2 {
			_, lists, err := cached.ServerGroupsAndResources()
			if err != nil {
				return err
			}
			if err := checkResources(lists); err != nil {
				return err
			}
			cached.Invalidate()
		}
		return nil
	}},
	{"discovery: a cache on disk", func(_ context.Context, w *world) error {
		folder, err := os.MkdirTemp("", "discovery-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		for range 2 {
			cached, err := disk.NewCachedDiscoveryClientForConfig(w.config, folder, "", time.Minute)
			if err != nil {
				return err
			}
			_, lists, err := cached.ServerGroupsAndResources()
			if err != nil {
				return err
			}
			if err := checkResources(lists); err != nil {
				return err
			}
		}
		return nil
	}},
	{"discovery: a REST mapper finds resource, kind, scope, short name and category", func(_ context.Context, w *world) error {
		client, err := w.discovery()
		if err != nil {
			return err
		}
		deferred := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
		mapper := restmapper.NewShortcutExpander(deferred, client, nil)
		mapping, err := mapper.RESTMapping(tenantKind.GroupKind())
		if err != nil {
			return err
		}
		short, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: "tcp", Group: groupVersion.Group})
		if err != nil {
			return err
		}
		singular, err := mapper.ResourceSingularizer("datastores")
		if err != nil {
			return err
		}
		store, err := mapper.RESTMapping(schema.GroupKind{Group: groupVersion.Group, Kind: "DataStore"}, "v1alpha1")
		if err != nil {
			return err
		}
		category, _ := restmapper.NewDiscoveryCategoryExpander(client).Expand("kamaji")
		inCategory := false
		for _, resource := range category {
			inCategory = inCategory || resource == tenants.GroupResource()
		}
		return first(
			want("resource", mapping.Resource, tenants),
			want("scope", mapping.Scope.Name(), meta.RESTScopeNameNamespace),
			want("short", short, tenants),
			want("singular", singular, "datastore"),
			want("scope of DataStore", store.Scope.Name(), meta.RESTScopeNameRoot),
			want("category", inCategory, true),
		)
	}},
	{"discovery: the kind of a scale subresource", func(_ context.Context, w *world) error {
		client, err := w.discovery()
		if err != nil {
			return err
		}
		kind, err := scale.NewDiscoveryScaleKindResolver(client).ScaleForResource(tenants)
		if err != nil {
			return err
		}
		return want("kind", kind, schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"})
	}},
	{"OpenAPI v3: the typed and the untyped document", func(ctx context.Context, w *world) error {
		client, err := w.discovery()
		if err != nil {
			return err
		}
		root := openapi3.NewRoot(client.OpenAPIV3())
		return eventually(ctx, 75*time.Second, func() error {
			spec, err := root.GVSpec(groupVersion)
			if err != nil {
				return err
			}
			if _, err := root.GVSpecAsMap(groupVersion); err != nil {
				return err
			}
			path := spec.Paths.Paths["/apis/kamaji.io/v1alpha1/namespaces/{namespace}/tenantcontrolplanes/{name}"]
			return first(want("path", path != nil, true), want("schema", spec.Components.Schemas["io.kamaji.v1alpha1.TenantControlPlane"] != nil, true))
		})
	}},
	{"OpenAPI v2: the cluster's protobuf document holds our kinds", func(ctx context.Context, w *world) error {
		client, err := w.discovery()
		if err != nil {
			return err
		}
		return eventually(ctx, 75*time.Second, func() error {
			document, err := client.OpenAPISchema()
			if err != nil {
				return err
			}
			for _, definition := range document.GetDefinitions().GetAdditionalProperties() {
				if definition.GetName() == "io.kamaji.v1alpha1.TenantControlPlane" {
					return nil
				}
			}
			return fmt.Errorf("no definition of ours")
		})
	}},
}
