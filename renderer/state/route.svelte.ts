export type Page = 'containers' | 'images' | 'settings';
export const containerTabs = ['overview', 'logs', 'terminal', 'stats', 'inspect'] as const;
export type ContainerTab = (typeof containerTabs)[number];
export const imageTabs = ['overview', 'module', 'inspect'] as const;
export type ImageTab = (typeof imageTabs)[number];

export type Place =
  | { readonly page: Page; readonly id?: undefined }
  | { readonly page: 'containers'; readonly id: string; readonly tab: ContainerTab }
  | { readonly page: 'images'; readonly id: string; readonly tab: ImageTab };

/** "#/containers/4f1c…/logs" → place. Anything else is the list of containers. */
export function parsePlace(hash: string): Place {
  const [page = '', id = '', tab = ''] = hash.replace(/^#\/?/, '').split('/').map(decode);
  if (page === 'images' && id !== '') return { page, id, tab: imageTabs.find((name) => name === tab) ?? 'overview' };
  if (page === 'containers' && id !== '')
    return { page, id, tab: containerTabs.find((name) => name === tab) ?? 'overview' };
  return { page: page === 'images' || page === 'settings' ? page : 'containers' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

export function formatPlace(place: Place): string {
  if (place.id === undefined) return `#/${place.page}`;
  return `#/${place.page}/${encodeURIComponent(place.id)}/${place.tab}`;
}

/** Where the window is. The address bar's hash is the truth, so that back, forward and reload work. */
export class Route {
  #place = $state.raw<Place>({ page: 'containers' });

  get place(): Place {
    return this.#place;
  }
  get page(): Page {
    return this.#place.page;
  }

  go(place: Place): void {
    location.hash = formatPlace(place);
    this.#place = place;
  }

  /** Follows the address; returns the end of it. */
  listen(): () => void {
    const read = (): void => {
      this.#place = parsePlace(location.hash);
    };
    read();
    window.addEventListener('hashchange', read);
    return () => window.removeEventListener('hashchange', read);
  }
}
