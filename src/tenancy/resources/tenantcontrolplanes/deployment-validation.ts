import type { FieldError } from '../../../apimachinery/field-error.ts';
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  notFoundValue,
  requiredValue,
  unsupportedValue,
} from '../../../apimachinery/field-error.ts';
import { checkLabel1123, checkSubdomain1123 } from '../../../apimachinery/names.ts';
import type { ControlPlaneDeployment } from '../../api/control-plane.ts';
import type { Container, VolumeMount } from '../../api/core-types.generated.ts';
import { CONTROL_PLANE_CONTAINERS } from '../../api/reserved-names.ts';
import { KONNECTIVITY_SOCKET_DIR } from '../../provisioning/admin-cluster/config-maps.ts';
import { FILES_DIR, VOLUMES } from '../../provisioning/admin-cluster/volumes.ts';
import { validateAdditionalMetadata, validateLabelMap } from '../metadata-validation.ts';

const PATH = 'spec.controlPlane.deployment';
const OWN_VOLUMES: readonly string[] = Object.values(VOLUMES);
const OWN_MOUNT_PATHS: readonly string[] = [FILES_DIR, KONNECTIVITY_SOCKET_DIR];

/** The parts of a Deployment that would make the admin cluster refuse it, or make it fight with ours. */
export function validateDeployment(deployment: ControlPlaneDeployment): readonly FieldError[] {
  return [
    ...validateLabelMap(deployment.nodeSelector, `${PATH}.nodeSelector`),
    ...validateAdditionalMetadata(deployment.additionalMetadata, `${PATH}.additionalMetadata`),
    ...validateAdditionalMetadata(deployment.podAdditionalMetadata, `${PATH}.podAdditionalMetadata`),
    ...validateObjectName(deployment.serviceAccountName, `${PATH}.serviceAccountName`),
    ...(deployment.runtimeClassName ? validateObjectName(deployment.runtimeClassName, `${PATH}.runtimeClassName`) : []),
    ...validateTagSuffix(deployment.registrySettings.tagSuffix),
    ...validateStrategy(deployment.strategy),
    ...validateContainers(deployment),
    ...validateVolumes(deployment),
  ];
}

function validateObjectName(name: string, path: string): readonly FieldError[] {
  return checkSubdomain1123(name).map((complaint) => invalidValue(path, name, complaint));
}

function validateTagSuffix(suffix: string | undefined): readonly FieldError[] {
  if (!suffix || /^[\w.-]{1,100}$/.test(suffix)) return [];
  const why = 'must consist of letters, digits, ".", "_" and "-", at most 100';
  return [invalidValue(`${PATH}.registrySettings.tagSuffix`, suffix, why)];
}

/** k8s.io/kubernetes/pkg/apis/apps/validation, ValidateDeploymentStrategy. */
function validateStrategy(strategy: ControlPlaneDeployment['strategy']): readonly FieldError[] {
  const path = `${PATH}.strategy`;
  const { type = 'RollingUpdate', rollingUpdate } = strategy;
  if (type === 'Recreate') {
    return rollingUpdate === undefined
      ? []
      : [forbiddenValue(`${path}.rollingUpdate`, 'is for type RollingUpdate only')];
  }
  if (type !== 'RollingUpdate') return [unsupportedValue(`${path}.type`, type, ['Recreate', 'RollingUpdate'])];
  const { maxUnavailable = '25%', maxSurge = '25%' } = rollingUpdate ?? {};
  const errors = [
    ...validateShare(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`),
    ...validateShare(maxSurge, `${path}.rollingUpdate.maxSurge`),
  ];
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    errors.push(
      invalidValue(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when maxSurge is 0'),
    );
  }
  return errors;
}

function validateShare(share: number | string, path: string): readonly FieldError[] {
  const valid = typeof share === 'number' ? share >= 0 : /^\d{1,9}%$/.test(share);
  return valid ? [] : [invalidValue(path, share, 'must be a number that is not negative, or a percentage such as 25%')];
}

function isZero(share: number | string): boolean {
  return share === 0 || share === '0%';
}

function validateContainers(deployment: ControlPlaneDeployment): readonly FieldError[] {
  const taken = new Set<string>();
  const check = (containers: readonly Container[] | undefined, list: string): readonly FieldError[] =>
    (containers ?? []).flatMap((container, index) => {
      const path = `${PATH}.${list}[${index}]`;
      const errors = [
        ...validatePartName(container.name, `${path}.name`, taken, CONTROL_PLANE_CONTAINERS, 'container'),
      ];
      if (!container.image) errors.push(requiredValue(`${path}.image`, 'every container needs an image'));
      return errors;
    });
  return [
    ...check(deployment.additionalInitContainers, 'additionalInitContainers'),
    ...check(deployment.additionalContainers, 'additionalContainers'),
  ];
}

function validateVolumes(deployment: ControlPlaneDeployment): readonly FieldError[] {
  const taken = new Set<string>();
  const errors = (deployment.additionalVolumes ?? []).flatMap((volume, index) =>
    validatePartName(volume.name, `${PATH}.additionalVolumes[${index}].name`, taken, OWN_VOLUMES, 'volume'),
  );
  const known = new Set([...OWN_VOLUMES, ...taken]);
  const { apiServer, controllerManager, scheduler } = deployment.additionalVolumeMounts ?? {};
  const mounts = `${PATH}.additionalVolumeMounts`;
  return [
    ...errors,
    ...validateMounts(apiServer, `${mounts}.apiServer`, known, OWN_MOUNT_PATHS),
    ...validateMounts(controllerManager, `${mounts}.controllerManager`, known, OWN_MOUNT_PATHS),
    ...validateMounts(scheduler, `${mounts}.scheduler`, known, OWN_MOUNT_PATHS),
    ...(['additionalInitContainers', 'additionalContainers'] as const).flatMap((list) =>
      (deployment[list] ?? []).flatMap((container, index) =>
        validateMounts(container.volumeMounts, `${PATH}.${list}[${index}].volumeMounts`, known),
      ),
    ),
  ];
}

function validatePartName(
  name: string,
  path: string,
  taken: Set<string>,
  reserved: readonly string[],
  what: string,
): readonly FieldError[] {
  const errors = checkLabel1123(name).map((complaint) => invalidValue(path, name, complaint));
  if (reserved.includes(name)) errors.push(invalidValue(path, name, `is the name of a ${what} of the control plane`));
  else if (taken.has(name)) errors.push(duplicateValue(path, name));
  taken.add(name);
  return errors;
}

function validateMounts(
  mounts: readonly VolumeMount[] | undefined,
  path: string,
  volumes: ReadonlySet<string>,
  ownPaths: readonly string[] = [],
): readonly FieldError[] {
  const paths = new Set<string>();
  return (mounts ?? []).flatMap((mount, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (!volumes.has(mount.name)) errors.push(notFoundValue(`${at}.name`, mount.name));
    if (mount.mountPath === '') errors.push(requiredValue(`${at}.mountPath`));
    else if (ownPaths.includes(mount.mountPath.replace(/\/+$/, ''))) {
      errors.push(invalidValue(`${at}.mountPath`, mount.mountPath, 'is where the control plane has its own files'));
    } else if (paths.has(mount.mountPath)) errors.push(duplicateValue(`${at}.mountPath`, mount.mountPath));
    paths.add(mount.mountPath);
    return errors;
  });
}
