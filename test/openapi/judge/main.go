// Command judge holds OpenAPI documents against the libraries that read them in a cluster and in its clients, and prints
// what came of it as JSON: [{"name": "...", "error": "..."}], an empty error being a pass.
//
//	judge documents FOLDER   own-v2.json, own-v3.json, merged-v2.json, merged-v2.pb and full-<kind>.json of FOLDER
//	judge merge MERGED OWN...  merges each OWN into what MERGED holds of others, as the aggregator does
//	judge clients            client libraries at the cluster of $KUBECONFIG
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

type result struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

type results []result

// check runs one judgement; a library that panics has judged as well.
func (r *results) check(name string, judge func() error) {
	*r = append(*r, result{name, message(judge)})
}

func message(judge func() error) (text string) {
	defer func() {
		if panicked := recover(); panicked != nil {
			text = fmt.Sprintf("panic: %v", panicked)
		}
	}()
	if err := judge(); err != nil {
		return err.Error()
	}
	return ""
}

// refused turns a judgement around: for what has to be found wrong.
func refused(err error) error {
	if err == nil {
		return errors.New("nothing was found wrong with it")
	}
	return nil
}

func main() {
	found, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func run(args []string) (results, error) {
	switch {
	case len(args) == 2 && args[0] == "documents":
		return judgeDocuments(args[1])
	case len(args) >= 3 && args[0] == "merge":
		return judgeMerges(args[1], args[2:])
	case len(args) == 1 && args[0] == "clients":
		return judgeClients()
	}
	return nil, errors.New("usage: judge documents FOLDER | merge MERGED OWN... | clients")
}
