// Drawings of the page as files of their own, in the colours of paper.

/** What a style sheet may say of a part of a drawing. */
const styles = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-linecap',
  'stroke-linejoin',
  'stroke-dasharray',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'dominant-baseline',
];
const margin = 16;
const gap = 28;
const namespace = 'http://www.w3.org/2000/svg';

function withPaper<T>(work: (paper: HTMLElement) => T): T {
  const paper = document.createElement('div');
  paper.className = 'paper';
  document.body.append(paper);
  try {
    return work(paper);
  } finally {
    paper.remove();
  }
}

/** A custom property's colour on paper: light, whatever the page is. */
export const paperColour = (name: string) =>
  withPaper((paper) => getComputedStyle(paper).getPropertyValue(name).trim());

export interface Part {
  element: SVGSVGElement;
  /** Written above it. */
  title?: string;
}

/** The drawings below each other as one SVG file, whose look depends on no style sheet. */
export function svgText(parts: readonly Part[]): string {
  return withPaper((paper) => {
    const picture = document.createElementNS(namespace, 'svg');
    let y = margin;
    let width = 0;
    for (const { element, title } of parts) {
      const copy = element.cloneNode(true) as SVGSVGElement;
      paper.append(copy);
      const box = element.getBoundingClientRect();
      const [w, h] = [
        Number(element.getAttribute('width')) || box.width,
        Number(element.getAttribute('height')) || box.height,
      ];
      if (title) {
        y += 14;
        const words = document.createElementNS(namespace, 'text');
        set(words, {
          x: margin,
          y,
          'font-size': 13,
          'font-weight': 600,
          fill: getComputedStyle(paper).color,
        });
        words.textContent = title;
        paper.append(words);
        picture.append(words);
        y += 8;
      }
      freeze(copy);
      set(copy, { x: margin, y, width: w, height: h, overflow: 'visible' });
      copy.removeAttribute('class');
      picture.append(copy);
      y += h + gap;
      width = Math.max(width, w);
    }
    const [w, h] = [Math.ceil(width + 2 * margin), Math.ceil(y - gap + margin)];
    const font = getComputedStyle(paper).fontFamily;
    set(picture, { xmlns: namespace, width: w, height: h, viewBox: `0 0 ${w} ${h}`, 'font-family': font });
    const ground = document.createElementNS(namespace, 'rect');
    set(ground, { width: w, height: h, fill: getComputedStyle(paper).backgroundColor });
    picture.prepend(ground);
    return new XMLSerializer().serializeToString(picture);
  });
}

function set(element: Element, attributes: Record<string, string | number>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/** Writes what style sheets say into the elements, and takes away what only the page can use. */
function freeze(root: SVGElement): void {
  for (const element of root.querySelectorAll('[data-only-here]')) element.remove();
  const elements = [root, ...root.querySelectorAll<SVGElement>('*')];
  for (const element of elements) {
    const computed = getComputedStyle(element);
    for (const name of styles) {
      const value = computed.getPropertyValue(name);
      if (value) element.setAttribute(name, value);
    }
    // Lines that are drawn slowly are dashed for that, in a unit that not every program knows.
    if (element.hasAttribute('pathLength')) element.removeAttribute('stroke-dasharray');
  }
  for (const element of elements) {
    for (const name of ['class', 'style', 'tabindex', 'pathLength', 'role', 'aria-label', 'aria-hidden'])
      element.removeAttribute(name);
  }
}

/** The drawing as a PNG, with twice as many pixels as it is wide and high. */
export async function pngOf(svg: string): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth * 2;
    canvas.height = image.naturalHeight * 2;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
    if (!blob) throw new Error('The picture is too large for this browser.');
    return blob;
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Hands a file to the user. */
export function save(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has taken it up by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
