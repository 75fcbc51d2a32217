import { base } from "../address";

/** The way back to the list of rooms. */
export function Logo() {
  return (
    <a class="button only" href={base.href} aria-label="All rooms" title="All rooms">
      <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true" stroke-width="3.4" stroke-linecap="round" fill="none" stroke="currentColor">
        <path d="M5 9h12" /><path d="M5 16h20" opacity=".7" /><path d="M5 23h8" opacity=".45" /><path d="M23 4v8" stroke="var(--accent)" />
      </svg>
    </a>
  );
}
