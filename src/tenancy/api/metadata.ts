import { integer, map, object, required, string } from '../../apimachinery/schema/builders.ts';
import type { Static, TypedSchema } from '../../apimachinery/schema/typed.ts';
import type { Condition } from '../../apimachinery/object.ts';

/** Labels and annotations that the user wants on something we make. */
export const additionalMetadata = object({
  labels: map(string(), { description: 'Labels to add.' }),
  annotations: map(string(), { description: 'Annotations to add.' }),
});
export type AdditionalMetadata = Static<typeof additionalMetadata>;

/** metav1.Condition, with the limits of k8s.io/apimachinery/pkg/apis/meta/v1/types.go. */
export const condition: TypedSchema<Condition, false> = object(
  {
    type: required(
      string({ description: 'What the condition is about, such as Ready.', minLength: 1, maxLength: 316 }),
    ),
    status: required(string({ description: 'Whether it holds.', enum: ['True', 'False', 'Unknown'] })),
    reason: required(
      string({
        description: 'One word for why, meant for programs.',
        minLength: 1,
        maxLength: 1024,
        pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      }),
    ),
    message: required(string({ description: 'Why, in a sentence.', maxLength: 32768 })),
    lastTransitionTime: required(string({ description: 'When the status last changed.', format: 'date-time' })),
    observedGeneration: integer({
      description: 'Generation of the object that the condition was computed from.',
      format: 'int64',
      minimum: 0,
    }),
  },
  { description: 'One aspect of the state of an object.' },
);
