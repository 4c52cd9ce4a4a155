package adapter

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/apitesting"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apiserver/pkg/apis/example"
	examplev1 "k8s.io/apiserver/pkg/apis/example/v1"
)

var (
	scheme = runtime.NewScheme()
	codec  runtime.Codec
)

func init() {
	metav1.AddToGroupVersion(scheme, metav1.SchemeGroupVersion)
	utilruntime.Must(example.AddToScheme(scheme))
	utilruntime.Must(examplev1.AddToScheme(scheme))
	codec = apitesting.TestCodec(serializer.NewCodecFactory(scheme), examplev1.SchemeGroupVersion)
}

// The selectable field of these tests that is none of the API's own is written as a label too, so that the server can be asked for it.
const nodeNameLabel = "spec.nodeName"

type object = map[string]any

// What the tests below the API may put into an object's metadata, while the API owns the real one: its name and namespace follow
// the key there, and uid, generation and times are the server's. It travels in a field of its own.
type carried struct {
	Key      string `json:"key"`
	Metadata object `json:"metadata"`
}

const carriedField = "carried"

// toWire makes the body of a request: the object of the API at this place, which carries the object of the test.
// A resourceVersion is the test's own.
func toWire(at place, kind, key string, obj runtime.Object, resourceVersion string) ([]byte, error) {
	pod, ok := obj.(*example.Pod)
	if !ok {
		return nil, fmt.Errorf("not a pod: %T", obj)
	}
	copied := pod.DeepCopy()
	copied.ResourceVersion, copied.SelfLink = "", ""
	data, err := runtime.Encode(codec, copied)
	if err != nil {
		return nil, err
	}
	wire := object{}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, err
	}
	metadata, _ := wire["metadata"].(object)
	labels := object{nodeNameLabel: pod.Spec.NodeName}
	for name, value := range pod.Labels {
		labels[name] = value
	}
	own := object{"name": at.name, "labels": labels}
	if at.namespace != "" {
		own["namespace"] = at.namespace
	}
	if annotations, ok := metadata["annotations"]; ok {
		own["annotations"] = annotations
	}
	if resourceVersion != "" {
		own["resourceVersion"] = resourceVersion
	}
	delete(metadata, "labels")
	delete(metadata, "annotations")
	wire["metadata"] = own
	wire["kind"] = kind
	wire[carriedField] = carried{Key: key, Metadata: metadata}
	return json.Marshal(wire)
}

// fromWire makes the test's object of the API's, with the labels, annotations and the resourceVersion that the server answered.
func fromWire(data []byte, into runtime.Object) error {
	wire := struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
		Carried  *carried          `json:"carried"`
	}{}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	body := object{}
	if err := json.Unmarshal(data, &body); err != nil {
		return err
	}
	metadata := object{}
	if wire.Carried != nil {
		metadata = wire.Carried.Metadata
		if at, err := objectPlace(wire.Carried.Key, wire.Metadata.Namespace != ""); err != nil || at.name != wire.Metadata.Name || at.namespace != wire.Metadata.Namespace {
			return fmt.Errorf("the object of %s came back as %s/%s", wire.Carried.Key, wire.Metadata.Namespace, wire.Metadata.Name)
		}
	}
	labels := wire.Metadata.Labels
	delete(labels, nodeNameLabel)
	if len(labels) > 0 {
		metadata["labels"] = labels
	}
	if len(wire.Metadata.Annotations) > 0 {
		metadata["annotations"] = wire.Metadata.Annotations
	}
	metadata["resourceVersion"] = wire.Metadata.ResourceVersion
	body["metadata"] = metadata
	body["kind"] = "Pod"
	delete(body, carriedField)
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return runtime.DecodeInto(codec, text, into)
}

// uids answers the uid that the test gave an object and the one that the server gave it.
func uids(data []byte) (ofTest, ofServer string, err error) {
	wire := struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
		Carried  struct {
			Metadata metav1.ObjectMeta `json:"metadata"`
		} `json:"carried"`
	}{}
	err = json.Unmarshal(data, &wire)
	return string(wire.Carried.Metadata.UID), string(wire.Metadata.UID), err
}
