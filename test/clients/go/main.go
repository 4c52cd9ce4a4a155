// Command clients puts upstream's client libraries in front of our API and says of each case whether it behaved.
//
// usage: clients -kubeconfig FILE [-run REGEXP]
//
// It writes one JSON line a case. Between cases it may ask its caller for something by a line {"ask": "restart"} or
// {"ask": "forget"} (the server is to be stopped, its history cut off, and started again); an empty line on stdin is the answer.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// testCase is one promise; run returns what is wrong.
type testCase struct {
	name string
	run  func(ctx context.Context, world *world) error
}

// world is what cases share.
type world struct {
	config *rest.Config
	stdin  *bufio.Reader
	out    *json.Encoder
}

type result struct {
	Name  string `json:"name"`
	Error string `json:"error,omitempty"`
	Ms    int64  `json:"ms"`
}

const caseTimeout = 90 * time.Second

// ask has the caller do something to the server and waits until it is done.
func (w *world) ask(what string) error {
	if err := w.out.Encode(map[string]string{"ask": what}); err != nil {
		return err
	}
	_, err := w.stdin.ReadString('\n')
	return err
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "of the cluster")
	run := flag.String("run", "", "only cases whose names match")
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	ctrllog.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	config.QPS, config.Burst = 500, 1000
	config.UserAgent = "go-clients/1.0"
	filter := regexp.MustCompile(*run)
	w := &world{config: config, stdin: bufio.NewReader(os.Stdin), out: json.NewEncoder(os.Stdout)}
	if err := w.prepare(context.Background()); err != nil {
		log.Fatal(err)
	}
	var cases []testCase
	for _, group := range [][]testCase{
		discoveryCases, dynamicCases, applyCases, watchCases, informerCases, scaleCases, controllerRuntimeCases, fluxCases, failureCases,
	} {
		cases = append(cases, group...)
	}
	for _, c := range cases {
		if !filter.MatchString(c.name) {
			continue
		}
		begin := time.Now()
		r := result{Name: c.name}
		if err := w.guarded(c); err != nil {
			r.Error = err.Error()
		}
		r.Ms = time.Since(begin).Milliseconds()
		if err := w.out.Encode(r); err != nil {
			log.Fatal(err)
		}
	}
}

func (w *world) guarded(c testCase) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		done <- c.run(ctx, w)
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(caseTimeout + 10*time.Second):
		return fmt.Errorf("hangs")
	}
}
