/** Programs by what their `User-Agent` holds; the first that fits, for most of them name others as well. */
const programs = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
] as const
const systems = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'Mac'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
] as const
/** What browsers send is much shorter. */
const readChars = 500

/** How a person would call the browser: `Firefox on Linux`; `browser` where it does not say. Only words of ours come out. */
export function nameOfBrowser(userAgent: string | undefined): string {
  const text = (userAgent ?? '').slice(0, readChars)
  const program = programs.find(([form]) => form.test(text))?.[1] ?? 'browser'
  const system = systems.find(([form]) => form.test(text))?.[1]
  return system === undefined ? program : `${program} on ${system}`
}
