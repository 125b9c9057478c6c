import type { ContainerView } from '../../engine/api/index.ts';

/** A span in words, as `docker ps` shows it (go-units HumanDuration: the boundaries are its). `milliseconds` ≥ 0. */
export function duration(milliseconds: number): string {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 14) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 60) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(seconds / 3600 / 24 / 365)} years`;
}

function healthText({ health }: ContainerView): string {
  if (!health) return '';
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}

/** The Status column of `docker ps`: the server's text, not the client's. `now` in ms since the epoch. */
export function statusText(view: ContainerView, now = Date.now()): string {
  const since = (time: string): string => duration(now - Date.parse(time));
  switch (view.state) {
    case 'running':
      return `Up ${since(view.startedAt)}${healthText(view)}`;
    case 'paused':
      return `Up ${since(view.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${view.exitCode}) ${since(view.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    case 'exited':
      return `Exited (${view.exitCode}) ${since(view.finishedAt)} ago`;
  }
}
