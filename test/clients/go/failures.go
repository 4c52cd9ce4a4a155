package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/pager"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/client-go/util/retry"
)

// patiently retries what fails because the server is away.
func patiently(do func() error) error {
	backoff := retry.DefaultBackoff
	backoff.Duration, backoff.Steps, backoff.Factor, backoff.Cap = 100*time.Millisecond, 300, 1, 100*time.Millisecond
	return retry.OnError(backoff, func(err error) bool {
		return !apierrors.IsNotFound(err) && !apierrors.IsInvalid(err) && !apierrors.IsAlreadyExists(err)
	}, do)
}

func isGone(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

var failureCases = makeFailureCases()

func makeFailureCases() []testCase {
	none := func(*metav1.ListOptions) {}
	mode := "WatchList off"
	if streams() {
		mode = "WatchList on"
	}
	cases := []testCase{}
	for _, kind := range informerKinds {
		cases = append(cases,
			testCase{fmt.Sprintf("informer (%s, %s): catches up after the server was started again", kind.name, mode), inRoom(func(ctx context.Context, w *world, r *room) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				if err := r.createMany(ctx, "r", 5); err != nil {
					return err
				}
				informer, err := kind.make(w.config, r.namespace, none)
				if err != nil {
					return err
				}
				told, err := newDiary(informer)
				if err != nil {
					return err
				}
				if err := started(ctx, informer); err != nil {
					return err
				}
				if err := w.ask("restart"); err != nil {
					return err
				}
				if err := patiently(func() error { _, err := r.label(ctx, "r-002", `{"a":"b"}`); return err }); err != nil {
					return err
				}
				if err := patiently(func() error { return r.tenants.Delete(ctx, "r-004", metav1.DeleteOptions{}) }); err != nil {
					return err
				}
				// While the server is away kube-apiserver answers 503, upon which reflectors list again: they may miss the deletion itself.
				return eventually(ctx, 60*time.Second, func() error {
					deleted := strings.TrimSuffix(told.of("r-004"), "?")
					return first(want("changed", told.of("r-002"), "A M"), want("deleted", deleted, "A D"), want("count", len(informer.GetStore().ListKeys()), 4))
				})
			})},
			testCase{fmt.Sprintf("informer (%s, %s): lists again when history was cut off meanwhile", kind.name, mode), inRoom(func(ctx context.Context, w *world, r *room) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				if err := r.createMany(ctx, "r", 5); err != nil {
					return err
				}
				sent := &wire{}
				informer, err := kind.make(sent.watched(w.config), r.namespace, none)
				if err != nil {
					return err
				}
				told, err := newDiary(informer)
				if err != nil {
					return err
				}
				if err := started(ctx, informer); err != nil {
					return err
				}
				lists := sent.lists.Load() + sent.watchLists.Load()
				if err := w.ask("forget r-004 in " + r.namespace); err != nil {
					return err
				}
				return first(
					eventually(ctx, 60*time.Second, func() error {
						return first(want("vanished", told.of("r-004"), "A D?"), want("count", len(informer.GetStore().ListKeys()), 4))
					}),
					want("listed again", sent.lists.Load()+sent.watchLists.Load() > lists, true),
					func() error {
						if _, err := r.label(ctx, "r-001", `{"still":"followed"}`); err != nil {
							return err
						}
						return eventually(ctx, 20*time.Second, func() error {
							return want("followed", strings.HasSuffix(told.of("r-001"), "M"), true)
						})
					}(),
				)
			})},
		)
	}
	if streams() {
		return cases
	}
	return append(cases,
		testCase{"RetryWatcher: over a restart it misses, doubles and reorders nothing", inRoom(func(ctx context.Context, w *world, r *room) error {
			list, err := r.tenants.List(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.GetResourceVersion(), cache.ToWatcherWithContext(r.listWatch(ctx, none)))
			if err != nil {
				return err
			}
			defer watcher.Stop()
			var stop atomic.Bool
			written := make(chan []string, 1)
			go func() {
				var made []string
				for i := 0; !stop.Load(); i++ {
					name := fmt.Sprintf("w-%04d", i)
					err := patiently(func() error { _, err := r.create(ctx, name); return err })
					if err == nil || apierrors.IsAlreadyExists(err) {
						made = append(made, name)
					}
				}
				written <- made
			}()
			time.Sleep(500 * time.Millisecond)
			if err := w.ask("restart"); err != nil {
				return err
			}
			time.Sleep(1500 * time.Millisecond)
			stop.Store(true)
			made := <-written
			var seen []string
			for len(seen) < len(made) {
				select {
				case event, ok := <-watcher.ResultChan():
					if !ok {
						return fmt.Errorf("ended after %d of %d", len(seen), len(made))
					}
					object, ok := event.Object.(*unstructured.Unstructured)
					if !ok {
						return fmt.Errorf("an event of %T", event.Object)
					}
					if event.Type == watch.Added {
						seen = append(seen, object.GetName())
					}
				case <-time.After(30 * time.Second):
					return fmt.Errorf("saw %d of %d", len(seen), len(made))
				}
			}
			return first(want("seen", seen, made), want("some", len(made) > 10, true))
		})},
		testCase{"RetryWatcher: ends with an error event when its revision is gone", inRoom(func(ctx context.Context, w *world, r *room) error {
			object, err := r.create(ctx, "one")
			if err != nil {
				return err
			}
			if _, err := r.create(ctx, "two"); err != nil {
				return err
			}
			if err := w.ask("forget one in " + r.namespace); err != nil {
				return err
			}
			watcher, err := watchtools.NewRetryWatcherWithContext(ctx, object.GetResourceVersion(), cache.ToWatcherWithContext(r.listWatch(ctx, none)))
			if err != nil {
				return err
			}
			defer watcher.Stop()
			_, event, err := next(ctx, watcher)
			if err != nil {
				return err
			}
			return first(want("type", event.Type, watch.Error), wantError("error", apierrors.FromObject(event.Object), isGone))
		})},
		testCase{"an exact list of a revision that is gone is 410, not an older truth", inRoom(func(ctx context.Context, w *world, r *room) error {
			object, err := r.create(ctx, "one")
			if err != nil {
				return err
			}
			if _, err := r.create(ctx, "two"); err != nil {
				return err
			}
			if err := w.ask("forget two in " + r.namespace); err != nil {
				return err
			}
			_, gone := r.tenants.List(ctx, metav1.ListOptions{ResourceVersion: object.GetResourceVersion(), ResourceVersionMatch: metav1.ResourceVersionMatchExact})
			return wantError("list", gone, isGone)
		})},
		testCase{"pager: a token that expires on the way is made good by a full list", inRoom(func(ctx context.Context, w *world, r *room) error {
			if err := r.createMany(ctx, "p", 20); err != nil {
				return err
			}
			asked := false
			var fallback bool
			p := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				if options.Continue != "" && !asked {
					asked = true
					if err := w.ask("forget p-019 in " + r.namespace); err != nil {
						return nil, err
					}
				}
				fallback = fallback || asked && options.Continue == "" && options.Limit == 0
				return r.tenants.List(ctx, options)
			})
			p.PageSize = 7
			whole, _, err := p.List(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			all, ok := whole.(*unstructured.UnstructuredList)
			if !ok {
				return fmt.Errorf("a list of %T", whole)
			}
			return first(want("fell back", fallback, true), want("count", len(all.Items), 19), want("order", slices.IsSorted(names(all.Items)), true))
		})},
		testCase{"an expired token comes with one that goes on at the newest state", inRoom(func(ctx context.Context, w *world, r *room) error {
			if err := r.createMany(ctx, "p", 10); err != nil {
				return err
			}
			page, err := r.tenants.List(ctx, metav1.ListOptions{Limit: 4})
			if err != nil {
				return err
			}
			if err := w.ask("forget p-009 in " + r.namespace); err != nil {
				return err
			}
			_, expired := r.tenants.List(ctx, metav1.ListOptions{Limit: 4, Continue: page.GetContinue()})
			if err := wantError("list", expired, apierrors.IsResourceExpired); err != nil {
				return err
			}
			token := expired.(apierrors.APIStatus).Status().ListMeta.Continue
			rest, err := r.tenants.List(ctx, metav1.ListOptions{Continue: token})
			if err != nil {
				return err
			}
			return want("rest", names(rest.Items), []string{"p-004", "p-005", "p-006", "p-007", "p-008"})
		})},
	)
}
