/** How test/vectors/pawl-1.json is read, by somebody who has docs/PROTOCOL.md and not this code. */
export const META = {
  what: 'Known answers for pawl/1. § is a section of docs/PROTOCOL.md, whose names and notation are used.',
  use: 'Of every section: compute each value from those it is made of, refuse what is refused with the code given. Of every story: keep for each person what a person keeps, do step after step, and compare whatever a step states. No random source is needed, as every draw is written down. test/vectors/reader is a reader in Python that shares no line with pawl.',
  made: 'By `npm run vectors`, from test/known-answers. All draws are public: digests of labels, or one byte repeated.',
  bytes: {
    hex: 'Byte strings are lower-case hex, but for texts and names, which are text (UTF-8).',
    parts:
      '`bytes` and `envelope` may be a list of parts to join: hex; [hex, times]; or [name, from, to], bytes of the envelope or invite of that name, an invite being its 1,321 B without head (§3). Names are of the whole file, and known before they are used.',
    times: '`now`, `at`, `opened`, `sentAt`: unix milliseconds. `expires`: unix seconds.',
    content:
      '`sentAt` with `text`: type 1 (§7), the text in UTF-8; with `bytes`: type 1, too; with `file`, the name, and `bytes`: type 2.',
  },
  sections: {
    derivations:
      '`digest`: H_length(of). `keyed`: K(key, personalization). `root`: ROOT(rootKey, input), its three parts (§1).',
    identities: 'From a seed: §2. `x25519Secret` is clamped.',
    safetyNumbers: 'Of two identities (§2), with blanks between the groups.',
    marks: 'The file of a mark: its name, and its bytes (§8).',
    publicKeys: 'Keys from outside that are admitted, or `weak-key`: X25519 (§1), identities (§2), KEM keys (§3, §6).',
    invites:
      'Invites by the maker of that seed, as they are read; and which the reader refuses, whatever the time (§3).',
    padding: '[L, P] (§7).',
    contents: 'Contents and their plaintexts: L, P and H_16 of all P bytes; and plaintexts that are refused (§7).',
    envelopes: 'Byte strings that are no envelope: refused by whoever decodes them (§7).',
    armor:
      'The blocks of a message and of an invite, the latter as an envelope of kind 16; and blocks that the strict decoder refuses: that of `of` where `find`, which stands in it once, gives way to `put` (§7).',
  },
  story:
    '`people` are new: an identity seed each, nothing else. A story that is `after` another has also the people of that one, as they were at its end; it does not change them for others. A step is a command of the person `by`, whose clock shows `now` (a clock may go back), unless it is `forge`, `copy` or `check`. At each command first goes what has outlived its time (§3, §5.5).',
  steps: {
    invite: 'Makes an invite, not reusable, for the name `for`. It is named `as`; `id` is H_16.',
    add: 'Reads an invite for the contact `name`, and keeps it; or it is `refused`.',
    send: 'Sends `content` to the contact `to`: the envelope, named `as`. `session`: which it goes on (H_8, §8). `opening`, if it opens that session: `invite` is that which is answered, the other values are those of §4. `chain`, if it begins a chain: the root step of §5.2, `dh` being the X25519 output; `offer` and `answer` the KEM field, `ss` the secret of an answer; of the file the first offer and the first answer are whole, of others H_16. `message`: of §5.2; nonces, salt and find tag stand in the envelope (§7).',
    draws:
      'What a command draws, in the order in which pawl does. An opening: the secret of EK_A; m, the 32 B of ML-KEM.Encaps. The beginning of a chain: the ratchet key, an X25519 secret; then, for an offer, the seed d || z of a KEM key; for an answer, m. Each message: r of §5.2. An invite: the secret of the prekey; the KEM seed. All 32 B, but seeds of KEM keys 64.',
    'cannot send': 'Nothing is sent to `to`, for the reason of `refused`.',
    lose: 'So many messages on the chain that is begun, which nobody sees: their positions are passed over, and nothing else happens.',
    forge: 'Somebody makes an envelope by other than honest means, as `made` says, and it is named `as`.',
    copy: 'From here on there is a second person `as`, with the same file as `of`: identity, contacts, invites, sessions.',
    receive:
      'Receives an envelope: decodes it, and does what §4 and §5 say. `gap`: the limit, where it is not 2,000. `accepted`: its content, from which contact (`from`), on which session, in which position (`chain` counts from 0 in each direction, §5.1), whether `late`; `lost`: how many messages are given up by the rules for gaps (§5.5; not those that go because more keys are kept than may be); `fork`: it is read, and marks a fork. `duplicate`, `tooLate`: those outcomes. `refused`: the code, and for a fork its `reason`. What is not accepted changes nothing, but that a fork sets its mark where there is none yet.',
    check:
      'All that person `of` has of a session (§5.1). `exchange`, `kem` in `sending`: a KEM key or ciphertext as H_16. `skipped`: [chain, n, message key]. `digests`: [chain, n, id]. `lost`: messages given up so far in any way. `fork`: the reason of the first.',
  },
  notCovered:
    'Limits of what one side keeps: 64 invites, 64 finished chains, 4,096 digests, 4 sessions, 64 idle messages. The last position of a chain. Held sessions (§8). Finding envelopes in text that is more than a block.',
} as const;
