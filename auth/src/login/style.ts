/** How the pages of the sign-in look, light and dark, on a phone and on a desk. */
export const STYLE = `
:root{color-scheme:light dark;--back:#f7f8f9;--card:#fff;--ink:#1b1f24;--soft:#5c6470;--line:#d9dde2;--accent:#3451b2;--press:#2a4294;--on:#fff;--wrong:#b3393b}
@media(prefers-color-scheme:dark){:root{--back:#111316;--card:#181b1f;--ink:#e6e8eb;--soft:#98a1ad;--line:#343a42;--accent:#9db2ff;--press:#b6c6ff;--on:#111316;--wrong:#f09a9a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1.5rem;background:var(--back);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:25rem;padding:2.5rem;background:var(--card);border:1px solid var(--line);border-radius:16px}
h1{margin:0 0 .375rem;font-size:1.5rem;line-height:1.25;letter-spacing:-.02em;text-wrap:balance}
p{margin:0;color:var(--soft);text-wrap:pretty}
p b{color:var(--ink);font-weight:600;overflow-wrap:anywhere}
ul{list-style:none;margin:1.75rem 0 0;padding:0;display:grid;gap:.625rem}
form{display:grid;gap:.5rem;margin-top:1.75rem}
label{font-size:.875rem;font-weight:600}
input,button,.button{width:100%;min-height:2.875rem;padding:.5rem .875rem;border:1px solid var(--line);border-radius:10px;background:var(--card);color:inherit;font:inherit}
input{font-size:1rem}
input[name=code]{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:1.25rem;letter-spacing:.2em}
button,.button{display:grid;place-items:center;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
button{margin-top:.5rem;border-color:transparent;background:var(--accent);color:var(--on)}
button:hover{background:var(--press)}
.button:hover{border-color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.or{display:flex;align-items:center;gap:.875rem;margin-top:1.75rem;font-size:.8125rem}
.or::before,.or::after{content:"";flex:1;border-top:1px solid var(--line)}
.or+form{margin-top:1.25rem}
.wrong{margin-top:1.25rem;padding-left:.875rem;border-left:3px solid var(--wrong);color:var(--ink)}
.back{margin-top:1.5rem;font-size:.875rem}
.back a{color:var(--accent);text-underline-offset:.25em}
@media(max-width:30rem){body{place-items:start stretch;padding:0;background:var(--card)}main{max-width:none;padding:3rem 1.5rem;border:0;border-radius:0}}
@media(forced-colors:active){button,.button{border-color:ButtonText}}
`
