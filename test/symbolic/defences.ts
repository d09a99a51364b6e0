/** What the protocol does that could be left out, each with the reason why it is there: the attack that it stops. */
export const DEFENCES = {
  'invite is signed': 'others could put their keys into it',
  'transcript binds the identities': 'who speaks could be misattributed',
  'sender is sealed': 'who speaks could be exchanged',
  "opener's identity key in the handshake": 'anybody could open as anybody',
  'KEM in the handshake': 'a recorder could compute the rest later',
  'invite is spent': 'an opening could be repeated, and its secrets stolen later',
  'DH in the root': 'a thief could read on for ever',
  'chain moves on': 'a thief could read backwards',
  'used keys are deleted': 'a thief could read backwards',
  'known prefix leads to its session': 'an opening could be repeated',
  'header names its body': 'an outsider could set a fork mark',
  'KEM field is sealed with the header': 'an outsider could change it',
  'KEM field is bound to the body': 'a thief who has only header keys left could change it',
  'KEM answer is required': 'the exchange could be left out',
  'KEM secret in the root': 'the exchange would change nothing',
  'KEM key is fresh': 'a stolen key would open later exchanges',
  'KEM key is deleted': 'a later thief would open past exchanges',
} as const;

export type Defence = keyof typeof DEFENCES;

/** Of one run of the model: those that stand. */
export type Defences = ReadonlySet<Defence>;

const ALL: Defences = new Set(Object.keys(DEFENCES) as Defence[]);

export function without(...removed: Defence[]): Defences {
  return new Set([...ALL].filter((defence) => !removed.includes(defence)));
}
