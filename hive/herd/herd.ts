import type { Antibody } from "../../common/herd/antibody.ts";
import type { OwnThings } from "../../common/herd/protected.ts";
import {
  Antibodies,
  type HerdSets,
  type Made,
  type Proposal,
  type Unchecked,
} from "./antibodies.ts";
import { readGenesis } from "./genesis.ts";
import type { AntibodyRow, HerdLedger } from "./ledger.ts";
import type { HerdLimits } from "./limits.ts";
import { HerdRefusal } from "./refusal.ts";
import type { Standing } from "./standing.ts";
import { Trust } from "./trust.ts";

/** An antibody with what was said of it. */
export interface AntibodyView extends AntibodyRow {
  /** Agents that have the same detection, and those that object. */
  readonly supporters: number;
  readonly objectors: number;
  /** Supporters that a quorum needs now. */
  readonly quorum: number;
}

/** What a fleet has in force for one agent. */
export interface AntibodySet {
  /** Counts up with every change. */
  readonly number: number;
  readonly antibodies: readonly Antibody[];
}

/** Calls of {@linkcode Herd}: what each takes and gives. They cross threads as they are. */
export interface HerdCalls {
  own: { takes: OwnThings; gives: void };
  standings: { takes: void; gives: readonly Standing[] };
  vouch: { takes: { readonly by: string; readonly of: string }; gives: Standing };
  report: { takes: { readonly by: string; readonly of: string }; gives: Standing };
  suspect: { takes: string; gives: Standing };
  clear: { takes: string; gives: Standing };
  blacklist: { takes: string; gives: Standing };
  genesis: { takes: string; gives: readonly Standing[] };
  judge: { takes: { readonly alertId: string; readonly isTrue: boolean }; gives: void };
  antibodies: { takes: void; gives: readonly AntibodyView[] };
  propose: { takes: Proposal & { readonly by: string }; gives: AntibodyView };
  create: { takes: Made; gives: AntibodyView };
  support: {
    takes: { readonly by: string; readonly antibodyId: string; readonly alertId: string };
    gives: AntibodyView;
  };
  object: {
    takes: { readonly by: string; readonly antibodyId: string };
    gives: AntibodyView;
  };
  approve: { takes: string; gives: AntibodyView };
  confirm: { takes: string; gives: AntibodyView };
  pull: {
    takes: { readonly antibodyId: string; readonly why: string; readonly isFalse: boolean };
    gives: AntibodyView;
  };
  tick: { takes: void; gives: readonly AntibodyRow[] };
  inForce: { takes: string; gives: AntibodySet };
  /** Counts up with every change of what hosts are to have. */
  revision: { takes: void; gives: number };
  sets: { takes: void; gives: HerdSets };
  unchecked: { takes: void; gives: readonly Unchecked[] };
  checked: {
    takes: { readonly antibodyId: string; readonly looked: number; readonly hosts: number };
    gives: AntibodyRow | undefined;
  };
}

/** Name of a call. */
export type HerdCall = keyof HerdCalls;

/** What a call takes. */
export type HerdTakes<C extends HerdCall> = HerdCalls[C]["takes"];
/** What a call gives. */
export type HerdGives<C extends HerdCall> = HerdCalls[C]["gives"];

type Handlers = {
  readonly [C in HerdCall]: (given: HerdTakes<C>, nowMs: number) => HerdGives<C>;
};

type TrustCall =
  | "standings"
  | "vouch"
  | "report"
  | "suspect"
  | "clear"
  | "blacklist"
  | "genesis"
  | "judge";

/** Options of {@linkcode Herd}. */
export interface HerdOptions {
  readonly ledger: HerdLedger;
  /** Default: those of this version. */
  readonly limits?: HerdLimits;
}

/**
 * The herd: who counts, and what is shared. Whoever runs a call runs it in one transaction of the
 * ledger.
 */
export class Herd {
  readonly trust: Trust;
  readonly antibodies: Antibodies;
  readonly #ledger: HerdLedger;
  readonly #handlers: Handlers;

  /** @param options Where the state is, and the bounds. */
  constructor(options: HerdOptions) {
    this.#ledger = options.ledger;
    this.trust = new Trust(options);
    this.antibodies = new Antibodies({ ledger: options.ledger, trust: this.trust });
    this.#handlers = { ...this.#ofTrust(), ...this.#ofAntibodies() };
  }

  /**
   * Runs a call.
   *
   * @param call Its name.
   * @param given What it takes.
   * @param options `nowMs`: Unix time in milliseconds.
   * @returns What it gives.
   * @throws {ImmuneError} `HERD_REFUSED` with why, `INPUT_MALFORMED` for a genesis set that is none.
   */
  run<C extends HerdCall>(
    call: C,
    given: HerdTakes<C>,
    options: { readonly nowMs: number },
  ): HerdGives<C> {
    // It may come from another thread.
    if (!Object.hasOwn(this.#handlers, call)) throw new TypeError(`The herd has no call "${call}"`);
    return this.#handlers[call](given, options.nowMs);
  }

  #ofTrust(): Pick<Handlers, TrustCall> {
    const { trust } = this;
    return {
      standings: (_, nowMs) => trust.standings(nowMs),
      vouch: (said, nowMs) => trust.vouch({ ...said, nowMs }),
      report: (said, nowMs) => trust.report({ ...said, nowMs }),
      suspect: (agentId, nowMs) => {
        trust.suspect(agentId, nowMs);
        return trust.standing(agentId, nowMs);
      },
      clear: (agentId, nowMs) => trust.clear(agentId, nowMs),
      blacklist: (agentId, nowMs) => trust.blacklist(agentId, nowMs),
      genesis: (text, nowMs) => this.#takeGenesis(text, nowMs),
      judge: ({ alertId, isTrue }, nowMs) => trust.judge(alertId, { isTrue, nowMs }),
    };
  }

  #ofAntibodies(): Omit<Handlers, TrustCall> {
    const { antibodies } = this;
    return {
      own: (own) => {
        antibodies.own = own;
      },
      antibodies: (_, nowMs) => {
        const quorum = this.trust.quorum(nowMs);
        return this.#ledger.antibodies().map((row) => this.#counted(row, quorum));
      },
      propose: ({ by, ...proposal }, nowMs) =>
        this.#view(antibodies.propose(proposal, { by, nowMs }), nowMs),
      create: (proposal, nowMs) => this.#view(antibodies.create(proposal, nowMs), nowMs),
      support: (word, nowMs) => this.#view(antibodies.support({ ...word, nowMs }), nowMs),
      object: (word, nowMs) => this.#view(antibodies.object({ ...word, nowMs }), nowMs),
      approve: (id, nowMs) => this.#view(antibodies.approve(id, nowMs), nowMs),
      confirm: (id, nowMs) => this.#view(antibodies.confirm(id), nowMs),
      pull: ({ antibodyId, ...by }, nowMs) =>
        this.#view(antibodies.pull(antibodyId, { ...by, nowMs }), nowMs),
      tick: (_, nowMs) => antibodies.tick(nowMs),
      inForce: (agentId, nowMs) => antibodies.inForce(agentId, nowMs),
      revision: () => this.#ledger.revision(),
      sets: (_, nowMs) => antibodies.sets(nowMs),
      unchecked: () => antibodies.unchecked(),
      checked: ({ antibodyId, ...found }, nowMs) =>
        antibodies.checked(antibodyId, { ...found, nowMs }),
    };
  }

  /** The first key that signs is the one that is known from then on. */
  #takeGenesis(text: string, nowMs: number): readonly Standing[] {
    const { agents, number, publicKey } = readGenesis(text);
    const what = "take the genesis set";
    const known = this.#ledger.genesis();
    if (known !== undefined && known.publicKey !== publicKey) {
      throw new HerdRefusal("signature", what);
    }
    if (known !== undefined && number <= known.number) throw new HerdRefusal("replayed", what);
    this.trust.setGenesis(agents, nowMs);
    this.#ledger.putGenesis({ number, publicKey });
    return this.trust.standings(nowMs);
  }

  #view(row: AntibodyRow, nowMs: number): AntibodyView {
    return this.#counted(row, this.trust.quorum(nowMs));
  }

  #counted(row: AntibodyRow, quorum: number): AntibodyView {
    const votes = this.#ledger.votes(row.antibody.id);
    const supporters = votes.filter(({ isFor }) => isFor).length;
    return { ...row, supporters, objectors: votes.length - supporters, quorum };
  }
}
