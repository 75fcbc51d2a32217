import { env, later } from "./env.js";

/** Sessions that are alive in this very place. */
const here = new Set<string>();

/** How long other tabs have to say that a session is theirs, where there are no locks, ms. */
const ANSWER_MS = 300;

const lockName = (session: string) => `motet/${session}`;

/** A session that is held: nobody else delivers for it. */
export interface Hold {
  release(): void;
}

/**
 * Takes a session that nobody holds; null if somebody does. By Web Locks, which end with the tab; where there are none (pages that came over
 * plain HTTP from another machine), other tabs are asked on a BroadcastChannel. That two hold one session all the same is harmless: the
 * server takes each of its submits once.
 *
 * @param shared Whether the storage is shared with other tabs; if not, only this place is looked at.
 */
export async function hold(session: string, shared: boolean): Promise<Hold | null> {
  if (here.has(session)) return null;
  here.add(session);
  const { navigator: nav, BroadcastChannel, document } = env;
  if (!shared) return { release: () => void here.delete(session) };
  if (nav?.locks) {
    const release = await new Promise<(() => void) | null>((resolve) => {
      nav
        .locks!.request(lockName(session), { ifAvailable: true }, (lock) => {
          if (!lock) {
            resolve(null);
            return Promise.resolve();
          }
          return new Promise((done) => resolve(() => done(undefined)));
        })
        .catch(() => resolve(null));
    });
    if (!release) here.delete(session);
    return (
      release && {
        release() {
          here.delete(session);
          release();
        },
      }
    );
  }
  // Node has channels, too, which would keep the process alive; there is nothing to ask there.
  if (!BroadcastChannel || !document) return { release: () => void here.delete(session) };
  const channel = new BroadcastChannel("motet");
  const taken = await new Promise<boolean>((resolve) => {
    const stop = later(ANSWER_MS, () => resolve(false));
    channel.onmessage = ({ data }) => {
      if ((data as { alive?: string }).alive !== session) return;
      stop();
      resolve(true);
    };
    channel.postMessage({ who: session });
  });
  if (taken) {
    channel.close();
    here.delete(session);
    return null;
  }
  channel.onmessage = ({ data }) => {
    if ((data as { who?: string }).who === session) channel.postMessage({ alive: session });
  };
  return {
    release() {
      here.delete(session);
      channel.close();
    },
  };
}
