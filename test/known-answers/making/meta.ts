/** How test/vectors/pawl-1.json is read, by somebody who has docs/PROTOCOL.md and not this code. */
export const META = {
  what: 'Known answers for pawl/1. § is a section of docs/PROTOCOL.md, whose names and notation are used.',
  use: 'For every section: compute each value from its inputs, and refuse with the stated code what is stated to be refused. For every story: keep the state of each person, take the steps in their order, and compare every value that a step states. No random source is needed: every draw is written down. test/vectors/reader is a reader in Python that shares no line with pawl.',
  made: 'By `npm run vectors`, from test/known-answers. All draws are public: digests of labels, or one byte repeated.',
  bytes: {
    hex: 'Byte strings are lower-case hex. Texts and names are text (UTF-8).',
    parts:
      '`bytes` and `envelope` may be a list of parts to join: hex; [hex, times], which is the hex repeated; or [name, from, to], bytes of the envelope or invite of that name, an invite being its 1,321 B without head (§3). Large values are written with [hex, times], so 16 MiB take a few characters. A name is unique in the file. In the order stories, then sections, it is defined before it is used.',
    times: '`now`, `at`, `opened`, `sentAt`: unix milliseconds. `expires`: unix seconds.',
    content:
      '`sentAt` with `text`: type 1 (§7), the text in UTF-8; with `bytes`: type 1 as well; with `file`, the name, and `bytes`: type 2; with `descriptor`: type 3 (§7.1), where a `name` of null is none, and a `size` of null is FF×8.',
  },
  sections: {
    derivations:
      '`digest`: H_length(of). `keyed`: K(key, personalization). `root`: ROOT(rootKey, input), its three parts (§1).',
    identities: 'Computed from a seed (§2). `x25519Secret` is clamped.',
    safetyNumbers: 'Of two identities (§2), with blanks between the groups.',
    marks: 'The file of a rollback mark: its name, and its bytes (§8).',
    publicKeys: 'Keys from outside that are admitted, or `weak-key`: X25519 (§1), identities (§2), KEM keys (§3, §6).',
    invites:
      'Invites by the maker of that seed, with their fields; and invites that the reader refuses, whatever the time (§3).',
    padding: '[L, P] (§7).',
    contents:
      '`read`: contents and their plaintexts: L, P and H_16 of all P bytes. `refused`: plaintexts that a decoder refuses. `notSent`: contents that an encoder refuses (§7).',
    envelopes:
      '`read`: envelopes of kind 3, with salt, tag and S; what is sealed in them is zeros, and opens under no key. `refused`: byte strings that a decoder of envelopes refuses (§7).',
    armor:
      '`read`: the blocks of a message and of an invite, the latter as an envelope of kind 16. `refused`: blocks that the strict decoder of blocks refuses: the block of `of` with `find`, which stands in it once, replaced by `put`. `edited`: the block of `of` after all `edits`, each [find, put] as before; the decoder of blocks refuses it as `block`, or, where there is no `block`, accepts it, and the decoder of envelopes refuses the result as `envelope` (§7).',
    parts:
      '§7.1. `contents`: contents in parts, with what is derived from K (`key`): k_find (`findKey`) and k_salt (`saltKey`). `sealed`: a part of the content `of`, named `as`, of its fields and r: d_i (`digest`), the link of the part behind it (`next`), salt, tag, k_part (`partKey`), length and H_16 of the envelope (`is`). Each opens to its fields. `forged`: sealed under the k_part of that salt is `plaintext`, which breaks a rule: H_16 of the envelope, and what a reader refuses it as. `refused`: what a reader who awaits only the content `of` refuses. `received`: a reader awaits the content `of`, and has nothing of it; the parts come one after the other, each `new`, `duplicate` (passed over) or refused with that code. Then `missing` is the index of the first part that is missing, `bytes` the bytes of data that are there, and `complete` whether the content is.',
  },
  story:
    '`people` are new: each has an identity seed and nothing else. A story that is `after` another also has the people of that story, as they were at its end; it does not change them for other stories. A step is a command of the person `by`, whose clock shows `now` (a clock may go back), unless it is `forge`, `copy`, `check` or `sessions`. Each command first deletes what has outlived its time (§3, §5.5).',
  steps: {
    invite: 'Makes an invite for the name `for`; with `reusable`, a reusable one. It is named `as`; `id` is H_16.',
    add: 'Reads an invite and keeps it for the contact `name`; or it is `refused`. `keeps`: the identity is known under this other name and keeps it. `answered`: a session was opened with this one-time invite before, so nothing changes, and it is no error.',
    forget:
      'Deletes the contact `name` with all sessions and an invite of theirs that waits, and withdraws the open invites that were made for the name. The ledgers of other invites stay.',
    'take numbers':
      'The numbers of the reusable invite `invite` up to `upTo` are taken, as by users that are not part of the story and whose openings nobody repeats.',
    send: 'Sends `content` to the contact `to`: the envelope, named `as`. `session`: the session it is sent on (H_8, §8). `opening`, if it opens that session: `invite` is the invite that it answers, the other values are those of §4. `chain`, if it begins a chain: the root step of §5.2, `dh` being the X25519 output; `offer` and `answer` the KEM field, `ss` the secret of an answer. The first offer and the first answer of the file are whole, all others are H_16. `message`: of §5.2; nonces, salt and find tag stand in the envelope (§7).',
    'send many':
      'Sends the same `content` `count` times on the chain that was begun last; each message draws `r`. The envelopes are named `as: 1`, `as: 2` and so on. `n`: the position of the first. `digest`: H_16 of all envelopes, joined.',
    draws:
      'What a command draws, in the order in which pawl does. An opening: the secret of EK_A; m, the 32 B of ML-KEM.Encaps. The beginning of a chain: the ratchet key, an X25519 secret; then, for an offer, the seed d || z of a KEM key; for an answer, m. Each message: r of §5.2. An invite: the secret of the prekey; the KEM seed. KEM seeds are 64 B, all other draws 32 B.',
    'cannot send': 'Nothing is sent to `to`, for the reason of `refused`.',
    lose: '`count` messages are sent on the chain that was begun last, and nobody sees them: their positions are passed over, and nothing else happens.',
    forge: 'Somebody makes an envelope by other than honest means, as `made` says, and it is named `as`.',
    copy: 'From here on there is a second person `as`, with the same file as `of`: identity, contacts, invites, sessions.',
    receive:
      'Receives an envelope: decodes it, and does what §4 and §5 say. `gap`: the limit, where it is not 2,000. `accepted`: its content, from which contact (`from`), on which session, in which position (`chain` counts from 0 in each direction, §5.1), whether `late`; `lost`: how many messages the gaps before it give up (§5.5; not the keys that are deleted because a session has more than 2,000); `fork`: it is read, and sets the fork mark. `duplicate`, `tooLate`: those outcomes. `forgotten`: `duplicate` by the ledger of a reusable invite, so of no contact and position (§3). `refused`: the code, and for a fork its `reason`. An envelope that is not accepted changes nothing, except that a fork sets the mark of a session that has none.',
    'receive many':
      'Receives the envelopes `first` to `last`, both included, of the `send many` that is named `of`. All are accepted: the first as `accepted` states, every other in the position behind the one before it, and otherwise the same.',
    seal: 'Makes a part of the content that the message `of` describes (§7.1), which is named `as`: of index, last, data and link, with the draw r. `length` and `is`: the length of the envelope, and its H_16.',
    take: 'Takes the part named `part`, as a receiver who has accepted descriptors and keeps what came of their contents. `outcome`: `new`, `duplicate` or the code of a refusal. `there`, unless it is `unknown-part`: what is there of its content afterwards, as in `parts`; of one that is complete nothing is kept. Descriptors are counted as of contacts that are not verified.',
    check: 'All that person `of` has of a session (§5.1), as `state` below says.',
    sessions:
      'The sessions that person `of` has with the contact `with` (§4): [session, idle messages], in the order in which they were made; and the session that is sent on.',
  },
  state: {
    note: 'The names and shapes of `state` in `check`. They are an interface of this file only: an implementation may store what it likes, and the tables of pawl (§8) are no interface.',
    rootKey: '32 B.',
    rootSteps: 'A number.',
    lastMix: '{step, at}: of §6, with the time by the own clock.',
    exchange: '"idle", {offered: seed, 64 B} or {owed: H_16 of the encapsulation key}.',
    sending:
      '{awaiting: {secretKey}}, {due: {remote, previousN}} or {chain: {secretKey, chainKey, headerKey, n, previousN, kem}}. `secretKey`: X25519, as drawn. `kem`: H_16 of the KEM field, or null.',
    receiving: '"awaiting" or {chain: {number, remote, chainKey, headerKey, n}}.',
    nextSending: 'A header key, as is `nextReceiving`. Find keys are not stated.',
    finished: 'A list of {number, remote, headerKey, length}, by number.',
    skipped: 'A list of [chain, n, message key], by chain and n.',
    digests: 'A list of [chain, n, id], by chain and n.',
    lost: 'How many messages have been given up so far in any of the ways of §5.5.',
    fork: 'The reason of the first fork, or null.',
  },
  notCovered:
    'Contents in parts that are given up after 30 days. Limits of what one side keeps: 64 invites, 64 finished chains, 4,096 digests. The last position of a chain. Held sessions (§8). Finding envelopes in text that is more than a block. `wrong-kind` (§7).',
} as const;
