package adapter

import (
	"context"
	"encoding/json"
	"flag"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiserver/pkg/storage"
	storagetesting "k8s.io/apiserver/pkg/storage/testing"
)

const upstream = "k8s.io/apiserver/pkg/storage/testing"

// control is where stores are made; its process is started by the one that starts these tests.
func control(t *testing.T) Control {
	url := os.Getenv("STORAGE_CONTROL")
	if url == "" {
		t.Fatal("STORAGE_CONTROL is not set")
	}
	return Control{URL: url}
}

func open(t *testing.T, namespaced bool) *Store {
	store, err := Open(control(t), namespaced)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return store
}

// What a stored value must never hold, whatever was sent.
func checkStored(store *Store) storagetesting.KeyValidation {
	return func(_ context.Context, t *testing.T, key string) {
		value, err := store.Raw(key)
		if err != nil {
			t.Fatal(err)
		}
		stored := struct {
			Metadata map[string]any
			Carried  carried
		}{}
		if err := json.Unmarshal([]byte(value), &stored); err != nil {
			t.Fatalf("the value of %s: %v: %q", key, err, value)
		}
		if stored.Carried.Key != key {
			t.Errorf("the value of %s is that of %q", key, stored.Carried.Key)
		}
		for _, field := range []string{"resourceVersion", "selfLink"} {
			if found, ok := stored.Metadata[field]; ok {
				t.Errorf("%s is stored: %v", field, found)
			}
		}
	}
}

// Upstream's own compaction of etcd leaves a note of it in a key, so its tests count one revision more.
func compact(store *Store) storagetesting.Compaction {
	return func(_ context.Context, t *testing.T, resourceVersion string) {
		if _, err := store.Bump(); err != nil {
			t.Fatal(err)
		}
		if err := store.Compact(resourceVersion); err != nil {
			t.Fatal(err)
		}
	}
}

func increaseRV(store *Store) storagetesting.IncreaseRVFunc {
	return func(_ context.Context, t *testing.T) int64 {
		revision, err := store.Bump()
		if err != nil {
			t.Fatal(err)
		}
		return revision
	}
}

type run func(ctx context.Context, t *testing.T, store *Store)

// plain is a test that wants nothing but a store.
func plain(test func(context.Context, *testing.T, storage.Interface)) run {
	return func(ctx context.Context, t *testing.T, store *Store) { test(ctx, t, store) }
}

// Every exported test of upstream's is here or among those that do not apply.
var tests = map[string]run{
	"RunTestCreate": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestCreate(ctx, t, store, checkStored(store))
	},
	"RunTestCreateWithKeyExist":                         plain(storagetesting.RunTestCreateWithKeyExist),
	"RunTestGet":                                        plain(storagetesting.RunTestGet),
	"RunTestUnconditionalDelete":                        plain(storagetesting.RunTestUnconditionalDelete),
	"RunTestConditionalDelete":                          plain(storagetesting.RunTestConditionalDelete),
	"RunTestDeleteWithSuggestion":                       plain(storagetesting.RunTestDeleteWithSuggestion),
	"RunTestDeleteWithSuggestionAndConflict":            plain(storagetesting.RunTestDeleteWithSuggestionAndConflict),
	"RunTestDeleteWithConflict":                         plain(storagetesting.RunTestDeleteWithConflict),
	"RunTestDeleteWithSuggestionOfDeletedObject":        plain(storagetesting.RunTestDeleteWithSuggestionOfDeletedObject),
	"RunTestValidateDeletionWithSuggestion":             plain(storagetesting.RunTestValidateDeletionWithSuggestion),
	"RunTestValidateDeletionWithOnlySuggestionValid":    plain(storagetesting.RunTestValidateDeletionWithOnlySuggestionValid),
	"RunTestPreconditionalDeleteWithSuggestion":         plain(storagetesting.RunTestPreconditionalDeleteWithSuggestion),
	"RunTestPreconditionalDeleteWithOnlySuggestionPass": plain(storagetesting.RunTestPreconditionalDeleteWithOnlySuggestionPass),
	"RunTestList": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestList(ctx, t, store, compact(store), false, nil)
	},
	"RunTestConsistentList": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestConsistentList(ctx, t, store, increaseRV(store), false, true, false)
	},
	"RunTestGetListNonRecursive": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestGetListNonRecursive(ctx, t, increaseRV(store), store)
	},
	"RunTestGetListRecursivePrefix": plain(storagetesting.RunTestGetListRecursivePrefix),
	"RunTestListContinuation": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestListContinuation(ctx, t, store, nil)
	},
	"RunTestListPaginationRareObject": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestListPaginationRareObject(ctx, t, store, nil)
	},
	"RunTestListContinuationWithFilter": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestListContinuationWithFilter(ctx, t, store, nil)
	},
	"RunTestListInconsistentContinuation": func(ctx context.Context, t *testing.T, store *Store) {
		// It pages from version 0, which upstream runs without a watch cache alone: with one, a list at version 0 is never paged.
		store.pageFromNewest = true
		storagetesting.RunTestListInconsistentContinuation(ctx, t, store, compact(store))
	},
	"RunTestListResourceVersionMatch": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestListResourceVersionMatch(ctx, t, store)
	},
	"RunTestGuaranteedUpdate": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestGuaranteedUpdate(ctx, t, store, checkStored(store))
	},
	"RunTestGuaranteedUpdateWithConflict":              plain(storagetesting.RunTestGuaranteedUpdateWithConflict),
	"RunTestGuaranteedUpdateWithSuggestionAndConflict": plain(storagetesting.RunTestGuaranteedUpdateWithSuggestionAndConflict),
	"RunTestListPaging":                                plain(storagetesting.RunTestListPaging),
	"RunTestNamespaceScopedList":                       plain(storagetesting.RunTestNamespaceScopedList),
	"RunTestCompactRevision": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestCompactRevision(ctx, t, store, increaseRV(store), compact(store))
	},
	"RunTestWatch": plain(storagetesting.RunTestWatch),
	"RunTestWatchFromZero": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestWatchFromZero(ctx, t, store, compact(store))
	},
	"RunTestDeleteTriggerWatch":                 plain(storagetesting.RunTestDeleteTriggerWatch),
	"RunTestWatchFromNonZero":                   plain(storagetesting.RunTestWatchFromNonZero),
	"RunTestDelayedWatchDelivery":               plain(storagetesting.RunTestDelayedWatchDelivery),
	"RunTestWatcherTimeout":                     plain(storagetesting.RunTestWatcherTimeout),
	"RunTestWatchDeleteEventObjectHaveLatestRV": plain(storagetesting.RunTestWatchDeleteEventObjectHaveLatestRV),
	"RunTestClusterScopedWatch":                 plain(storagetesting.RunTestClusterScopedWatch),
	"RunTestNamespaceScopedWatch":               plain(storagetesting.RunTestNamespaceScopedWatch),
	"RunTestWatchDispatchBookmarkEvents": func(ctx context.Context, t *testing.T, store *Store) {
		storagetesting.RunTestWatchDispatchBookmarkEvents(ctx, t, store, true)
	},
	"RunTestOptionalWatchBookmarksWithCorrectResourceVersion": plain(storagetesting.RunTestOptionalWatchBookmarksWithCorrectResourceVersion),
	"RunSendInitialEventsBackwardCompatibility":               plain(storagetesting.RunSendInitialEventsBackwardCompatibility),
	"RunWatchSemantics":                     plain(storagetesting.RunWatchSemantics),
	"RunWatchSemanticInitialEventsExtended": plain(storagetesting.RunWatchSemanticInitialEventsExtended),
	"RunWatchListMatchSingle":               plain(storagetesting.RunWatchListMatchSingle),
}

// Those of resources without namespaces.
var clusterScoped = map[string]bool{"RunTestClusterScopedWatch": true}

// doNotApply says of each other test what it asks for that an API server's HTTP API does not have.
var doNotApply = map[string]string{
	"RunTestCreateWithTTL":                    "a time to live of a key: no request can ask for one",
	"RunTestGuaranteedUpdateWithTTL":          "a time to live of a key: no request can ask for one",
	"RunTestGuaranteedUpdateChecksStoredData": "bytes that differ from the encoding of their object, put there by a transformer: values are not transformed on their way to the storage, and no request can store bytes",
	"RunTestTransformationFailure":            "a value that a transformer (encryption at rest) cannot read: values are not transformed on their way to the storage",
	"RunTestWatchError":                       "a value that a transformer cannot read: values are not transformed on their way to the storage",
	"RunWatchErrorIsBlockingFurtherEvents":    "a value that a transformer cannot read: values are not transformed on their way to the storage",
	"RunTestWatchWithUnsafeDelete":            "a value that a transformer cannot read, and its deletion all the same: an alpha feature of kube-apiserver that is off by default",
	"RunTestStats":                            "the number and size of stored objects, in the Go process: no request asks for them",
	"RunTestKeySchema":                        "keys that are no object's (/pods/, one that is an object and a folder): each URL is that of one object or of one collection",
	"RunTestWatchContextCancel":               "a Go context that is cancelled before the call: no request is sent",
	"RunTestWatchInitializationSignal":        "a signal inside the Go process of kube-apiserver, for priority and fairness: nothing of it is seen over HTTP",
	"RunOptionalTestProgressNotify":           "ListOptions.ProgressNotify, which is for kube-apiserver's own watch cache: no query parameter asks for it (bookmarks are tested by RunTestWatchDispatchBookmarkEvents)",
}

// ignoredForWatchCache are cases that upstream passes over where there is a watch cache, as there is in our server. Upstream's mark for
// them cannot be used: it also asks what the cache asked of etcd. So they are passed over by name (go test -skip).
var ignoredForWatchCache = map[string]string{
	"RunTestList/test_List_with_limit_at_resource_version_0$":                    "a watch cache answers a list at version 0 whole, whatever its limit",
	"RunTestList/test_List_with_limit_at_resource_version_0_match=NotOlderThan$": "a watch cache answers a list at version 0 whole, whatever its limit",
}

func TestStorage(t *testing.T) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test(context.Background(), t, open(t, !clusterScoped[name]))
		})
	}
}

// TestEveryTestIsListed finds the functions of upstream's that a new version brings.
func TestEveryTestIsListed(t *testing.T) {
	found := map[string]bool{}
	for _, name := range upstreamTests(t) {
		found[name] = true
		reason, excused := doNotApply[name]
		switch _, runs := tests[name]; {
		case runs && excused:
			t.Errorf("%s runs, and is said not to apply", name)
		case excused:
			t.Logf("does not apply: %s: %s", name, reason)
		case !runs:
			t.Errorf("%s neither runs nor is said not to apply", name)
		}
	}
	for name := range tests {
		if !found[name] {
			t.Errorf("upstream has no %s", name)
		}
	}
	for name := range doNotApply {
		if !found[name] {
			t.Errorf("upstream has no %s", name)
		}
	}
	for name, reason := range ignoredForWatchCache {
		t.Logf("does not apply: %s: %s", strings.TrimSuffix(name, "$"), reason)
	}
	t.Logf("%d tests of upstream: %d run, %d do not apply", len(found), len(tests), len(doNotApply))
}

// upstreamTests are the exported functions Run... that take a *testing.T.
func upstreamTests(t *testing.T) []string {
	pkg, err := build.Import(upstream, ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(pkg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), pkg.Dir+"/"+entry.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if ok && function.Recv == nil && strings.HasPrefix(function.Name.Name, "Run") && takesTestingT(function) {
				names = append(names, function.Name.Name)
			}
		}
	}
	return names
}

// TestMain passes over what does not apply, in addition to what the caller says.
func TestMain(m *testing.M) {
	flag.Parse()
	skip := flag.Lookup("test.skip")
	patterns := slices.Sorted(maps.Keys(ignoredForWatchCache))
	for i, pattern := range patterns {
		patterns[i] = "^TestStorage$/^" + strings.Replace(pattern, "/", "$/^", 1)
	}
	if given := skip.Value.String(); given != "" {
		patterns = append(patterns, given)
	}
	if err := skip.Value.Set(strings.Join(patterns, "|")); err != nil {
		panic(err)
	}
	m.Run()
}

func takesTestingT(function *ast.FuncDecl) bool {
	for _, parameter := range function.Type.Params.List {
		pointer, ok := parameter.Type.(*ast.StarExpr)
		if !ok {
			continue
		}
		selector, ok := pointer.X.(*ast.SelectorExpr)
		if ok && selector.Sel.Name == "T" {
			return true
		}
	}
	return false
}
