/** A token of the theme as a colour that a canvas can take: `element` says in which theme. `alpha` from 0 to 1. */
export function paint(element: HTMLElement, token: string, alpha = 1): string {
  const probe = element.ownerDocument.createElement('i');
  element.append(probe);
  probe.style.color = alpha === 1 ? `var(${token})` : `color-mix(in oklab, var(${token}) ${alpha * 100}%, transparent)`;
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
