package adapter

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apiserver/pkg/storage"
)

const resourcePrefix = "/pods/"

// Stands for the empty namespace, which no object of a namespaced resource can have. Sorts before those that the tests use.
const noNamespace = "0-none"

// place is where in the API a key is.
type place struct {
	// Empty: all namespaces, or a resource without them.
	namespace string
	// Of one object; in a collection, the only object asked for.
	name string
	// Whether `name` restricts a collection.
	single bool
}

// objectPlace is the place of the object with this key.
func objectPlace(key string, namespaced bool) (place, error) {
	prepared, err := storage.PrepareKey(resourcePrefix, key, false)
	if err != nil {
		return place{}, err
	}
	rest := strings.TrimPrefix(prepared, resourcePrefix)
	if !namespaced {
		return place{name: rest, single: true}, nil
	}
	namespace, name, found := strings.Cut(rest, "/")
	if !found {
		namespace, name = "", rest
	}
	if namespace == "" {
		namespace = noNamespace
	}
	return place{namespace: namespace, name: name, single: true}, nil
}

// collectionPlace is the place of all objects whose keys begin with this one as a folder.
func collectionPlace(key string, namespaced bool) (place, error) {
	prepared, err := storage.PrepareKey(resourcePrefix, key, true)
	if err != nil {
		return place{}, err
	}
	rest := strings.TrimPrefix(prepared, resourcePrefix)
	if rest == "" {
		return place{}, nil
	}
	if !namespaced {
		return place{name: rest, single: true}, nil
	}
	namespace, below, _ := strings.Cut(rest, "/")
	if namespace == "" {
		namespace = noNamespace
	}
	// What would be below an object: the server is asked for a name that ends in a slash.
	return place{namespace: namespace, name: below, single: below != ""}, nil
}

// selectors are the two of a request that selects what the predicate does.
func selectors(predicate storage.SelectionPredicate, at place) (fieldSelector, labelSelector string, err error) {
	var terms []fields.Selector
	if at.single {
		terms = append(terms, fields.OneTermEqualSelector("metadata.name", at.name))
	}
	label := labels.Everything()
	if predicate.Label != nil {
		label = predicate.Label
	}
	if predicate.Field != nil {
		for _, term := range predicate.Field.Requirements() {
			switch term.Field {
			case "metadata.name":
				terms = append(terms, oneTerm(term))
			case "metadata.namespace":
				if term.Value == "" {
					term.Value = noNamespace
				}
				terms = append(terms, oneTerm(term))
			case nodeNameLabel:
				requirement, err := labels.NewRequirement(nodeNameLabel, term.Operator, []string{term.Value})
				if err != nil {
					return "", "", err
				}
				label = label.Add(*requirement)
			default:
				return "", "", fmt.Errorf("no way to select by %s", term.Field)
			}
		}
	}
	return fields.AndSelectors(terms...).String(), label.String(), nil
}

func oneTerm(term fields.Requirement) fields.Selector {
	if term.Operator == selection.NotEquals {
		return fields.OneTermNotEqualSelector(term.Field, term.Value)
	}
	return fields.OneTermEqualSelector(term.Field, term.Value)
}
