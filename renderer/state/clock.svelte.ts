import { createSubscriber } from 'svelte/reactivity';

/** The time of the window, for "2 min ago": ticks once a second while something on screen reads it and somebody looks, and not otherwise. */
class Clock {
  #subscribe = createSubscriber((update) => {
    let timer: ReturnType<typeof setInterval> | undefined;
    const look = (): void => {
      clearInterval(timer);
      timer = undefined;
      if (document.hidden) return;
      update();
      timer = setInterval(update, 1000);
    };
    document.addEventListener('visibilitychange', look);
    timer = setInterval(update, 1000);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  });

  /** ms since the epoch. */
  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

export const clock = new Clock();
