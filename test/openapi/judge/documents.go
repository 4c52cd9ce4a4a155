package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	openapi_v3 "github.com/google/gnostic-models/openapiv3"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/kube-openapi/pkg/aggregator"
	"k8s.io/kube-openapi/pkg/handler"
	"k8s.io/kube-openapi/pkg/handler3"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/spec3"
	utilproto "k8s.io/kube-openapi/pkg/util/proto"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
	"k8s.io/kubectl/pkg/util/openapi"
	"k8s.io/kubectl/pkg/validation"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

const group = "kamaji.io"

// definitionPrefix: what names of our definitions begin with.
const definitionPrefix = "io.kamaji.v1alpha1."

var kinds = []string{"DataStore", "KubeconfigGenerator", "TenantControlPlane"}

func gvk(kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: "v1alpha1", Kind: kind}
}

type documents struct {
	folder                   string
	ownV2, ownV3, merged     []byte
	mergedProto              []byte
	swagger, mergedSwagger   spec.Swagger
	openAPI                  spec3.OpenAPI
	document, mergedDocument *openapi_v2.Document
	full                     map[string]map[string]any
}

func judgeDocuments(folder string) (results, error) {
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			panic(err)
		}
		return data
	}
	d := &documents{
		folder: folder, ownV2: read("own-v2.json"), ownV3: read("own-v3.json"), merged: read("merged-v2.json"),
		mergedProto: read("merged-v2.pb"), full: map[string]map[string]any{},
	}
	for _, kind := range kinds {
		object := map[string]any{}
		if err := json.Unmarshal(read("full-"+kind+".json"), &object); err != nil {
			return nil, err
		}
		d.full[kind] = object
	}
	var r results
	d.judgeConversion(&r)
	d.judgeModels(&r)
	d.judgeFieldOwnership(&r)
	d.judgeValidation(&r)
	return r, nil
}

// What stands in front of /openapi/v2 and /openapi/v3 of every cluster.
func (d *documents) judgeConversion(r *results) {
	r.check("kube-openapi reads the v2 document", func() error { return json.Unmarshal(d.ownV2, &d.swagger) })
	r.check("kube-openapi reads the v3 document", func() error { return json.Unmarshal(d.ownV3, &d.openAPI) })
	r.check("kube-openapi loses nothing of the v2 document", func() error { return keepsAll(d.ownV2, d.swagger) })
	r.check("kube-openapi loses nothing of the v3 document", func() error { return keepsAll(d.ownV3, &d.openAPI) })
	r.check("ToProtoBinary takes the v2 document", func() error { _, err := handler.ToProtoBinary(d.ownV2); return err })
	r.check("ToV3ProtoBinary takes the v3 document", func() error {
		data, err := handler3.ToV3ProtoBinary(d.ownV3)
		if err != nil {
			return err
		}
		return proto.Unmarshal(data, &openapi_v3.Document{})
	})
	r.check("gnostic parses the v2 document", func() (err error) {
		d.document, err = openapi_v2.ParseDocument(d.ownV2)
		return err
	})
	r.check("ToProtoBinary takes what the cluster merges", func() error { _, err := handler.ToProtoBinary(d.merged); return err })
	r.check("the cluster's protobuf document is whole", func() error {
		document := &openapi_v2.Document{}
		if err := proto.Unmarshal(d.mergedProto, document); err != nil {
			return err
		}
		for _, definition := range document.Definitions.AdditionalProperties {
			if definition.Name == definitionPrefix+"TenantControlPlane" {
				return nil
			}
		}
		return errors.New("our definitions are not in it")
	})
	r.check("kube-openapi reads what the cluster merges", func() error { return json.Unmarshal(d.merged, &d.mergedSwagger) })
	r.check("gnostic parses what the cluster merges", func() (err error) {
		d.mergedDocument, err = openapi_v2.ParseDocument(d.merged)
		return err
	})
	r.check("merging again changes nothing", func() error {
		again := d.mergedSwagger
		if err := aggregator.MergeSpecsIgnorePathConflictRenamingDefinitionsAndParameters(&again, filtered(&d.swagger)); err != nil {
			return err
		}
		for name := range again.Definitions {
			if _, known := d.mergedSwagger.Definitions[name]; !known {
				return fmt.Errorf("a definition of ours differs from the cluster's and was renamed to %s", name)
			}
		}
		return nil
	})
}

// filtered: what the aggregator takes of a document (kube-aggregator, controllers/openapi/aggregator).
func filtered(document *spec.Swagger) *spec.Swagger {
	return aggregator.FilterSpecByPathsWithoutSideEffects(document, []string{"/apis/" + group + "/v1alpha1/"})
}

// judgeMerges: the aggregator's own steps with documents that may be bad, one verdict a file.
func judgeMerges(mergedFile string, ownFiles []string) (results, error) {
	merged, err := os.ReadFile(mergedFile)
	if err != nil {
		return nil, err
	}
	var r results
	for _, file := range ownFiles {
		own, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		r.check(filepath.Base(file), func() error { return judgeMerge(own, merged) })
	}
	return r, nil
}

func judgeMerge(ownData, mergedData []byte) error {
	var own, merged spec.Swagger
	if err := json.Unmarshal(mergedData, &merged); err != nil {
		return err
	}
	if err := json.Unmarshal(ownData, &own); err != nil {
		return err
	}
	for path := range merged.Paths.Paths {
		if strings.HasPrefix(path, "/apis/"+group+"/") {
			delete(merged.Paths.Paths, path)
		}
	}
	maps.DeleteFunc(merged.Definitions, func(name string, _ spec.Schema) bool { return strings.HasPrefix(name, definitionPrefix) })
	if err := aggregator.MergeSpecsIgnorePathConflictRenamingDefinitionsAndParameters(&merged, filtered(&own)); err != nil {
		return err
	}
	data, err := json.Marshal(merged)
	if err != nil {
		return err
	}
	if _, err := handler.ToProtoBinary(data); err != nil {
		return err
	}
	document, err := openapi_v2.ParseDocument(data)
	if err != nil {
		return err
	}
	_, err = openapi.NewOpenAPIData(document)
	return err
}

// keepsAll: what goes through kube-openapi's types comes out again.
func keepsAll(data []byte, document any) error {
	again, err := json.Marshal(document)
	if err != nil {
		return err
	}
	var before, after any
	if err := errors.Join(json.Unmarshal(data, &before), json.Unmarshal(again, &after)); err != nil {
		return err
	}
	return missing(before, after, "")
}

func missing(before, after any, at string) error {
	switch b := before.(type) {
	case map[string]any:
		a, _ := after.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(b)) {
			if _, found := a[key]; !found {
				return fmt.Errorf("%s/%s is lost", at, key)
			}
			if err := missing(b[key], a[key], at+"/"+key); err != nil {
				return err
			}
		}
	case []any:
		a, _ := after.([]any)
		if len(a) != len(b) {
			return fmt.Errorf("%s has another length", at)
		}
		for i := range b {
			if err := missing(b[i], a[i], fmt.Sprintf("%s/%d", at, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// kubectl's and client-go's models of v2.
func (d *documents) judgeModels(r *results) {
	for _, name := range []string{"the v2 document", "what the cluster merges"} {
		document := func() *openapi_v2.Document {
			if name == "the v2 document" {
				return d.document
			}
			return d.mergedDocument
		}
		var resources openapi.Resources
		r.check("kubectl models "+name, func() (err error) {
			resources, err = openapi.NewOpenAPIData(document())
			return err
		})
		for _, kind := range kinds {
			r.check("kubectl finds "+kind+" in "+name, func() error {
				if resources.LookupResource(gvk(kind)) == nil {
					return errors.New("no such model")
				}
				consumes := resources.GetConsumes(gvk(kind), "PATCH")
				if slices.Contains(consumes, "application/strategic-merge-patch+json") {
					return errors.New("kubectl apply would send a strategic merge patch")
				}
				if !slices.Contains(consumes, "application/apply-patch+yaml") {
					return fmt.Errorf("no server-side apply in %v", consumes)
				}
				return nil
			})
		}
		r.check("structured-merge-diff takes the models of "+name, func() error {
			models, err := utilproto.NewOpenAPIData(document())
			if err != nil {
				return err
			}
			converted, err := schemaconv.ToSchemaWithPreserveUnknownFields(models, false)
			if err != nil {
				return err
			}
			for _, kind := range kinds {
				name := definitionPrefix + kind
				if !(typed.ParseableType{TypeRef: smd.TypeRef{NamedType: &name}, Schema: converted}).IsValid() {
					return fmt.Errorf("no type of %s", kind)
				}
			}
			return nil
		})
	}
}

// Server-side apply's view: kube-apiserver makes its types of v3, older clients theirs of v2.
func (d *documents) judgeFieldOwnership(r *results) {
	for _, name := range []string{"v2", "v3"} {
		schemas := func() map[string]*spec.Schema {
			if name == "v2" {
				return pointers(d.swagger.Definitions)
			}
			return d.openAPI.Components.Schemas
		}
		var converter managedfields.TypeConverter
		r.check("managedfields takes the schemas of "+name, func() (err error) {
			converter, err = managedfields.NewTypeConverter(schemas(), false)
			return err
		})
		for _, kind := range kinds {
			r.check(fmt.Sprintf("managedfields knows every field of a %s by %s", kind, name), func() error {
				value, err := converter.ObjectToTyped(&unstructured.Unstructured{Object: d.full[kind]})
				if err != nil {
					return err
				}
				set, err := value.ToFieldSet()
				if err != nil {
					return err
				}
				if set.Size() < 10 {
					return fmt.Errorf("only %d fields", set.Size())
				}
				return nil
			})
			r.check(fmt.Sprintf("managedfields refuses an unknown field of a %s by %s", kind, name), func() error {
				wrong := (&unstructured.Unstructured{Object: d.full[kind]}).DeepCopy()
				if err := unstructured.SetNestedField(wrong.Object, "x", "spec", "noSuchField"); err != nil {
					return err
				}
				_, err := converter.ObjectToTyped(wrong)
				return refused(err)
			})
		}
	}
}

func pointers(definitions spec.Definitions) map[string]*spec.Schema {
	found := make(map[string]*spec.Schema, len(definitions))
	for name, definition := range definitions {
		found[name] = &definition
	}
	return found
}

type resources struct{ openapi.Resources }

func (r resources) OpenAPISchema() (openapi.Resources, error) { return r.Resources, nil }

// kubectl's validation before it sends anything, and kube-openapi's own validator.
func (d *documents) judgeValidation(r *results) {
	for _, kind := range kinds {
		data, err := json.Marshal(d.full[kind])
		if err != nil {
			panic(err)
		}
		var schema validation.Schema
		r.check("kubectl validates a full "+kind+" against what the cluster merges", func() error {
			found, err := openapi.NewOpenAPIData(d.mergedDocument)
			if err != nil {
				return err
			}
			schema = validation.NewSchemaValidation(resources{found})
			return schema.ValidateBytes(data)
		})
		r.check("kubectl finds an unknown field of a "+kind, func() error {
			wrong := (&unstructured.Unstructured{Object: d.full[kind]}).DeepCopy()
			if err := unstructured.SetNestedField(wrong.Object, "x", "spec", "noSuchField"); err != nil {
				return err
			}
			data, err := json.Marshal(wrong)
			if err != nil {
				return err
			}
			return refused(schema.ValidateBytes(data))
		})
		r.check("kube-openapi validates a full "+kind+" against v3", func() error {
			own, err := resolver.PopulateRefs(func(reference string) (*spec.Schema, bool) {
				found, known := d.openAPI.Components.Schemas[strings.TrimPrefix(reference, "#/components/schemas/")]
				return found, known
			}, definitionPrefix+kind)
			if err != nil {
				return err
			}
			return validate.NewSchemaValidator(own, nil, "", strfmt.Default).Validate(d.full[kind]).AsError()
		})
	}
}
