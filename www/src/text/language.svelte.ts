// The language of the page: the browser's, until the user switches.
import { en, type Texts } from './en';
import { zhHant } from './zh-hant';

const languages = { en, 'zh-Hant': zhHant } as const;

export type LanguageCode = keyof typeof languages;
export const languageCodes = Object.keys(languages) as LanguageCode[];

const storageKey = 'graftlab-language';

/** The first of the wanted languages that is spoken here; traditional characters for any kind of Chinese. */
export function preferred(wanted: readonly string[]): LanguageCode {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh-Hant';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

/** What was chosen before; null also where the browser keeps nothing for this page. */
function stored(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

class Language {
  code = $state<LanguageCode>('en');

  get texts(): Texts {
    return languages[this.code];
  }

  /** Takes what was chosen before, or what the browser wants. */
  detect(): void {
    const chosen = stored();
    this.code = languageCodes.find((code) => code === chosen) ?? preferred(navigator.languages);
  }

  choose(code: LanguageCode): void {
    this.code = code;
    try {
      localStorage.setItem(storageKey, code);
    } catch {
      // It holds until the page is closed.
    }
  }
}

export const language = new Language();
export const nameOf = (code: LanguageCode) => languages[code].language;
