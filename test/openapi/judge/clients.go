package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/openapi3"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	explain "k8s.io/kubectl/pkg/explain/v2"
)

var gv = schema.GroupVersion{Group: group, Version: "v1alpha1"}

var plurals = map[string]string{
	"DataStore": "datastores", "KubeconfigGenerator": "kubeconfiggenerators", "TenantControlPlane": "tenantcontrolplanes",
}

// explained: a path deep in each kind, and words of its description's surroundings.
var explained = map[string][]string{
	"DataStore":           {"spec", "tlsConfig", "certificateAuthority", "certificate"},
	"KubeconfigGenerator": {"spec", "namespaceSelector", "matchExpressions", "operator"},
	"TenantControlPlane":  {"spec", "controlPlane", "deployment", "affinity", "nodeAffinity"},
}

func judgeClients() (results, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	var r results
	root := openapi3.NewRoot(client.OpenAPIV3())
	r.check("client-go's openapi3 root lists our group and version", func() error {
		found, err := root.GroupVersions()
		if err != nil {
			return err
		}
		for _, candidate := range found {
			if candidate == gv {
				return nil
			}
		}
		return fmt.Errorf("only %v", found)
	})
	r.check("client-go's openapi3 root reads our document", func() error {
		document, err := root.GVSpec(gv)
		if err == nil && document.Paths.Paths["/apis/kamaji.io/v1alpha1/datastores"] == nil {
			return errors.New("a path is missing")
		}
		return err
	})
	r.check("client-go reads /openapi/v2 as protobuf", func() error {
		_, err := client.OpenAPISchema()
		return err
	})
	r.check("discovery tells of every resource", func() error { return hasResources(client) })
	r.check("discovery by the old documents tells of every resource", func() error {
		return hasResources(discovery.NewDiscoveryClient(legacyOnly{client.RESTClient()}))
	})
	for _, kind := range kinds {
		plural := plurals[kind]
		r.check("kubectl explains "+plural, func() error {
			return explains(client, plural, nil, "GROUP:      kamaji.io", "spec\t<Object>", "metadata\t<ObjectMeta>")
		})
		r.check("kubectl explains "+plural+" recursively", func() error { return explainsRecursively(client, plural) })
		path := explained[kind]
		r.check(fmt.Sprintf("kubectl explains %s.%s", plural, strings.Join(path, ".")), func() error {
			return explains(client, plural, path, "FIELD: "+path[len(path)-1], "DESCRIPTION:")
		})
		r.check("kubectl leaves the validation of a "+kind+" to the server", func() error {
			return resource.NewQueryParamVerifierV3(dynamicClient, client.OpenAPIV3(), resource.QueryParamFieldValidation).HasSupport(gvk(kind))
		})
		r.check("policies can resolve the schema of a "+kind, func() error {
			found, err := (&resolver.ClientDiscoveryResolver{Discovery: client}).ResolveSchema(gvk(kind))
			if err != nil {
				return err
			}
			if _, known := found.Properties["spec"]; !known || found.Properties["metadata"].Properties["labels"].AdditionalProperties == nil {
				return errors.New("fields are missing")
			}
			return nil
		})
		r.check("a REST mapper finds "+plural+" by kind, name and short name", func() error { return findsByName(client, kind, plural) })
	}
	r.check("a scale's kind is told by discovery", func() error { return tellsScale(client) })
	r.check("the resource can be listed as discovery says", func() error {
		_, err := dynamicClient.Resource(gv.WithResource("tenantcontrolplanes")).List(context.Background(), metav1.ListOptions{Limit: 1})
		return err
	})
	return r, nil
}

// legacyOnly hides the aggregated form of discovery, as servers before 1.26 do.
type legacyOnly struct{ rest.Interface }

func (l legacyOnly) Get() *rest.Request {
	return l.Interface.Get().SetHeader("Accept", "application/json")
}

func hasResources(client discovery.DiscoveryInterface) error {
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, list := range lists {
		if list.GroupVersion != gv.String() {
			continue
		}
		for _, item := range list.APIResources {
			found[item.Name] = true
		}
	}
	for _, name := range []string{
		"datastores", "datastores/status", "kubeconfiggenerators", "kubeconfiggenerators/status", "tenantcontrolplanes",
		"tenantcontrolplanes/status", "tenantcontrolplanes/scale", "tenantcontrolplanes/kubeconfig", "tenantcontrolplanes/join-token",
	} {
		if !found[name] {
			return fmt.Errorf("%s is missing in %v", name, found)
		}
	}
	return nil
}

func explains(client *discovery.DiscoveryClient, plural string, path []string, wanted ...string) error {
	var out bytes.Buffer
	if err := explain.PrintModelDescription(path, &out, client.OpenAPIV3(), gv.WithResource(plural), false, "plaintext"); err != nil {
		return err
	}
	for _, text := range wanted {
		if !strings.Contains(out.String(), text) {
			return fmt.Errorf("%q is missing in %s", text, out.String())
		}
	}
	return nil
}

func explainsRecursively(client *discovery.DiscoveryClient, plural string) error {
	var out bytes.Buffer
	if err := explain.PrintModelDescription(nil, &out, client.OpenAPIV3(), gv.WithResource(plural), true, "plaintext"); err != nil {
		return err
	}
	if lines := strings.Count(out.String(), "\n"); lines < 50 {
		return fmt.Errorf("only %d lines", lines)
	}
	return nil
}

func findsByName(client *discovery.DiscoveryClient, kind, plural string) error {
	cached := memory.NewMemCacheClient(client)
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, nil)
	mapping, err := mapper.RESTMapping(gvk(kind).GroupKind())
	if err != nil {
		return err
	}
	if mapping.Resource != gv.WithResource(plural) {
		return fmt.Errorf("mapped to %v", mapping.Resource)
	}
	names := []string{plural + ".kamaji.io", strings.TrimSuffix(plural, "s") + ".kamaji.io"}
	if kind == "TenantControlPlane" {
		names = append(names, "tcp.kamaji.io")
	}
	for _, name := range names {
		parsed := schema.ParseGroupResource(name)
		found, err := mapper.ResourceFor(schema.GroupVersionResource{Group: parsed.Group, Resource: parsed.Resource})
		if err != nil {
			return err
		}
		if found != gv.WithResource(plural) {
			return fmt.Errorf("%s is %v", name, found)
		}
	}
	return nil
}

func tellsScale(client *discovery.DiscoveryClient) error {
	list, err := client.ServerResourcesForGroupVersion(gv.String())
	if err != nil {
		return err
	}
	for _, item := range list.APIResources {
		if item.Name == "tenantcontrolplanes/scale" {
			if item.Group != "autoscaling" || item.Version != "v1" || item.Kind != "Scale" {
				return fmt.Errorf("%+v", item)
			}
			return nil
		}
	}
	return errors.New("no scale")
}
