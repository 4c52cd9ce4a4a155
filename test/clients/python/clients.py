"""Puts Python's kubernetes client in front of our API and says of each case whether it behaved: one JSON line a case.

usage: python clients.py KUBECONFIG
"""

import json
import sys
import threading
import time
import traceback

from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError, ResourceNotFoundError, UnprocessibleEntityError

GROUP, VERSION, PLURAL = "kamaji.io", "v1alpha1", "tenantcontrolplanes"
CASES = []


def case(function):
    CASES.append(function)
    return function


def tenant(namespace, name, labels=None, **spec):
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "TenantControlPlane",
        "metadata": {"name": name, "namespace": namespace, **({"labels": labels} if labels else {})},
        "spec": {
            "dataStore": "default",
            "controlPlane": {"deployment": {"replicas": 1}, "service": {"serviceType": "ClusterIP"}},
            "kubernetes": {"version": "v1.36.1"},
            **spec,
        },
    }


def data_store(name):
    def secret(key):
        return {"secretReference": {"name": "etcd", "namespace": "kamaji-system", "keyPath": key}}

    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "DataStore",
        "metadata": {"name": name},
        "spec": {
            "driver": "etcd",
            "endpoints": ["etcd.kamaji-system.svc:2379"],
            "tlsConfig": {
                "certificateAuthority": {"certificate": secret("ca.crt"), "privateKey": secret("ca.key")},
                "clientCertificate": {"certificate": secret("tls.crt"), "privateKey": secret("tls.key")},
            },
        },
    }


class Room:
    """A namespace of a case's own, with clients."""

    def __init__(self, api_client):
        self.core = client.CoreV1Api(api_client)
        self.objects = client.CustomObjectsApi(api_client)
        self.api_client = api_client
        made = self.core.create_namespace({"metadata": {"generateName": "py-"}})
        self.namespace = made.metadata.name
        self.where = {"group": GROUP, "version": VERSION, "namespace": self.namespace, "plural": PLURAL}

    def create(self, name, **more):
        return self.objects.create_namespaced_custom_object(**self.where, body=tenant(self.namespace, name, **more))

    def dynamic(self):
        return dynamic.DynamicClient(self.api_client).resources.get(api_version=f"{GROUP}/{VERSION}", kind="TenantControlPlane")


def equal(what, got, expected):
    assert got == expected, f"{what}: got {got!r}, want {expected!r}"


def refused(status, do):
    try:
        do()
    except ApiException as error:
        equal("status of the refusal", error.status, status)
        return json.loads(error.body)
    raise AssertionError(f"no refusal with {status}")


@case
def custom_objects_create_read_replace_delete(room):
    """CustomObjectsApi: create, read, replace, delete, and what is refused"""
    created = room.create("one")
    equal("defaults", created["spec"]["networkProfile"]["port"], 6443)
    changed = json.loads(json.dumps(created))
    changed["spec"]["controlPlane"]["deployment"]["replicas"] = 3
    replaced = room.objects.replace_namespaced_custom_object(**room.where, name="one", body=changed)
    equal("generation", replaced["metadata"]["generation"], 2)
    stale = refused(409, lambda: room.objects.replace_namespaced_custom_object(**room.where, name="one", body=changed))
    equal("reason", stale["reason"], "Conflict")
    equal("twice", refused(409, lambda: room.create("one"))["reason"], "AlreadyExists")
    invalid = refused(422, lambda: room.create("two", kubernetes="none"))
    assert invalid["details"]["causes"], invalid
    room.objects.delete_namespaced_custom_object(**room.where, name="one")
    refused(404, lambda: room.objects.get_namespaced_custom_object(**room.where, name="one"))


@case
def custom_objects_patch(room):
    """CustomObjectsApi: merge patch, JSON patch and server-side apply"""
    room.create("one")
    merged = room.objects.patch_namespaced_custom_object(
        **room.where, name="one", body={"metadata": {"labels": {"a": "b"}}}, _content_type="application/merge-patch+json"
    )
    equal("labels", merged["metadata"]["labels"], {"a": "b"})
    operations = [{"op": "replace", "path": "/spec/controlPlane/deployment/replicas", "value": 5}]
    patched = room.objects.patch_namespaced_custom_object(
        **room.where, name="one", body=operations, _content_type="application/json-patch+json"
    )
    equal("replicas", patched["spec"]["controlPlane"]["deployment"]["replicas"], 5)

    def apply():
        return room.objects.patch_namespaced_custom_object(
            **room.where,
            name="made",
            body=tenant(room.namespace, "made"),
            field_manager="python",
            _content_type="application/apply-patch+yaml",
        )

    # This client drops the body of a 201 to a patch.
    apply()
    applied = apply()
    equal("manager", [(m["manager"], m["operation"]) for m in applied["metadata"]["managedFields"]], [("python", "Apply")])


@case
def custom_objects_status_and_scale(room):
    """CustomObjectsApi: the subresources status and scale"""
    room.create("one")
    status = room.objects.patch_namespaced_custom_object_status(
        **room.where, name="one", body={"status": {"controlPlaneEndpoint": "here:1"}}, _content_type="application/merge-patch+json"
    )
    equal("status", status["status"]["controlPlaneEndpoint"], "here:1")
    scale = room.objects.get_namespaced_custom_object_scale(**room.where, name="one")
    equal("kind", (scale["apiVersion"], scale["kind"]), ("autoscaling/v1", "Scale"))
    scale["spec"]["replicas"] = 4
    room.objects.replace_namespaced_custom_object_scale(**room.where, name="one", body=scale)
    got = room.objects.get_namespaced_custom_object(**room.where, name="one")
    equal("replicas", got["spec"]["controlPlane"]["deployment"]["replicas"], 4)


@case
def custom_objects_pages(room):
    """CustomObjectsApi: pages, selectors, the whole cluster, and delete of a collection"""
    for index in range(7):
        room.create(f"p-{index}", labels={"even": str(index % 2 == 0).lower()})
    names, token = [], None
    while token != "":
        page = room.objects.list_namespaced_custom_object(**room.where, limit=3, **({"_continue": token} if token else {}))
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
    equal("names", names, [f"p-{index}" for index in range(7)])
    even = room.objects.list_cluster_custom_object(
        GROUP, VERSION, PLURAL, label_selector="even=true", field_selector=f"metadata.namespace={room.namespace}"
    )
    equal("even", len(even["items"]), 4)
    room.objects.delete_collection_namespaced_custom_object(**room.where, label_selector="even=true")
    left = room.objects.list_namespaced_custom_object(**room.where)
    equal("left", [item["metadata"]["name"] for item in left["items"]], ["p-1", "p-3", "p-5"])


@case
def watch_stream(room):
    """Watch: every change in order, from a list's revision"""
    revision = room.objects.list_namespaced_custom_object(**room.where)["metadata"]["resourceVersion"]

    def work():
        time.sleep(0.3)
        room.create("one")
        room.objects.patch_namespaced_custom_object(
            **room.where, name="one", body={"metadata": {"labels": {"a": "b"}}}, _content_type="application/merge-patch+json"
        )
        room.objects.delete_namespaced_custom_object(**room.where, name="one")

    worker = threading.Thread(target=work)
    worker.start()
    seen, stream = [], watch.Watch()
    for event in stream.stream(room.objects.list_namespaced_custom_object, **room.where, resource_version=revision, timeout_seconds=20):
        seen.append(f"{event['type']} {event['object']['metadata']['name']}")
        if len(seen) == 3:
            stream.stop()
    worker.join()
    equal("events", seen, ["ADDED one", "MODIFIED one", "DELETED one"])


@case
def watch_expires(room):
    """Watch: goes on by itself when the server ends it, without losing or doubling anything"""
    revision = room.create("zero")["metadata"]["resourceVersion"]

    def work():
        for index in range(6):
            time.sleep(0.6)
            room.create(f"w-{index}")

    worker = threading.Thread(target=work)
    worker.start()
    seen, stream, query = [], watch.Watch(), {"timeout_seconds": 1, "resource_version": revision}
    deadline = time.monotonic() + 30
    while len(seen) < 6 and time.monotonic() < deadline:
        for event in stream.stream(room.objects.list_namespaced_custom_object, **room.where, **query):
            seen.append(event["object"]["metadata"]["name"])
        query["resource_version"] = stream.resource_version
    worker.join()
    equal("names", seen, [f"w-{index}" for index in range(6)])


@case
def dynamic_client(room):
    """DynamicClient: discovery, create, get, list, patch, replace, delete"""
    tenants = room.dynamic()
    equal("plural", (tenants.name, tenants.namespaced, tenants.short_names), (PLURAL, True, ["tcp"]))
    created = tenants.create(body=tenant(room.namespace, "one"), namespace=room.namespace)
    equal("port", created.spec.networkProfile.port, 6443)
    patched = tenants.patch(
        name="one", namespace=room.namespace, body={"metadata": {"labels": {"a": "b"}}}, content_type="application/merge-patch+json"
    )
    equal("label", patched.metadata.labels.a, "b")
    stale = created.to_dict()
    try:
        tenants.replace(body=stale, namespace=room.namespace)
        raise AssertionError("a stale replace went through")
    except ConflictError as error:
        equal("status", error.status, 409)
    listed = tenants.get(namespace=room.namespace, label_selector="a=b")
    equal("list", [item.metadata.name for item in listed.items], ["one"])
    try:
        tenants.create(body=tenant(room.namespace, "bad", kubernetes="none"), namespace=room.namespace)
        raise AssertionError("an invalid tenant went through")
    except UnprocessibleEntityError as error:
        assert json.loads(error.body)["details"]["causes"]
    tenants.delete(name="one", namespace=room.namespace)
    try:
        tenants.get(name="one", namespace=room.namespace)
        raise AssertionError("a deleted tenant was read")
    except NotFoundError as error:
        equal("status", error.status, 404)


@case
def dynamic_apply(room):
    """DynamicClient: server-side apply, its conflict and force"""
    tenants = room.dynamic()
    tenants.server_side_apply(body=tenant(room.namespace, "one", labels={"a": "1"}), namespace=room.namespace, field_manager="first")
    try:
        tenants.server_side_apply(body=tenant(room.namespace, "one", labels={"a": "2"}), namespace=room.namespace, field_manager="second")
        raise AssertionError("no conflict")
    except ConflictError as error:
        causes = json.loads(error.body)["details"]["causes"]
        equal("causes", [cause["field"] for cause in causes], [".metadata.labels.a"])
    forced = tenants.server_side_apply(
        body=tenant(room.namespace, "one", labels={"a": "2"}), namespace=room.namespace, field_manager="second", force_conflicts=True
    )
    equal("label", forced.metadata.labels.a, "2")


@case
def dynamic_subresources_and_watch(room):
    """DynamicClient: subresources and its watch"""
    tenants = room.dynamic()
    tenants.create(body=tenant(room.namespace, "one"), namespace=room.namespace)
    scaled = tenants.scale.patch(
        name="one", namespace=room.namespace, body={"spec": {"replicas": 2}}, content_type="application/merge-patch+json"
    )
    equal("replicas", scaled.spec.replicas, 2)
    status = tenants.status.patch(
        name="one",
        namespace=room.namespace,
        body={"status": {"controlPlaneEndpoint": "here:1"}},
        content_type="application/merge-patch+json",
    )
    equal("endpoint", status.status.controlPlaneEndpoint, "here:1")
    stream = watch.Watch()
    seen = []
    for event in tenants.watch(namespace=room.namespace, name="one", timeout=10, watcher=stream):
        seen.append((event["type"], event["object"].metadata.name))
        stream.stop()
    equal("events", seen, [("ADDED", "one")])


@case
def dynamic_unknown(room):
    """DynamicClient: a kind that is not there is not found by discovery"""
    try:
        dynamic.DynamicClient(room.api_client).resources.get(api_version=f"{GROUP}/{VERSION}", kind="Nothing")
    except ResourceNotFoundError:
        return
    raise AssertionError("found")


@case
def cluster_scope(room):
    """CustomObjectsApi: a kind of cluster scope, with a dry run"""
    where = {"group": GROUP, "version": VERSION, "plural": "datastores"}
    name = f"store-{room.namespace}"
    room.objects.create_cluster_custom_object(**where, body=data_store(name), dry_run="All")
    refused(404, lambda: room.objects.get_cluster_custom_object(**where, name=name))
    room.objects.create_cluster_custom_object(**where, body=data_store(name))
    status = room.objects.patch_cluster_custom_object_status(
        **where, name=name, body={"status": {"ready": True}}, _content_type="application/merge-patch+json"
    )
    equal("ready", status["status"]["ready"], True)
    room.objects.delete_cluster_custom_object(**where, name=name)
    refused(404, lambda: room.objects.get_cluster_custom_object(**where, name=name))


@case
def discovery(room):
    """ApisApi: the group and its resources"""
    groups = client.ApisApi(room.api_client).get_api_versions().groups
    ours = [group for group in groups if group.name == GROUP]
    equal("version", [group.preferred_version.group_version for group in ours], [f"{GROUP}/{VERSION}"])
    resources = client.CustomObjectsApi(room.api_client).get_api_resources(GROUP, VERSION).resources
    assert {"tenantcontrolplanes", "tenantcontrolplanes/scale", "datastores"} <= {resource.name for resource in resources}


def main():
    config.load_kube_config(sys.argv[1])
    api_client = client.ApiClient()
    try:
        client.CustomObjectsApi(api_client).create_cluster_custom_object(GROUP, VERSION, "datastores", data_store("default"))
    except ApiException as error:
        if error.status != 409:
            raise
    for function in CASES:
        begin, result = time.monotonic(), {"name": function.__doc__}
        try:
            function(Room(api_client))
        except Exception:
            result["error"] = traceback.format_exc()
        result["ms"] = int((time.monotonic() - begin) * 1000)
        print(json.dumps(result), flush=True)


main()
