/** How the page looks, light and dark, on a wide screen in three columns and on a phone in one. */
export const STYLE = `
:root{color-scheme:light dark;--back:#fff;--ink:#1b1f24;--soft:#5c6470;--line:#e6e8eb;--panel:#f7f8f9;--accent:#3451b2;--get:#2f6f8f;--post:#2b7a4b;--put:#8a5a00;--delete:#b3393b;--mcp:#6e56a6}
@media(prefers-color-scheme:dark){:root{--back:#111316;--ink:#e6e8eb;--soft:#98a1ad;--line:#262a30;--panel:#181b1f;--accent:#9db2ff;--get:#7fbfdc;--post:#7cc79a;--put:#dcb26a;--delete:#f09a9a;--mcp:#b9a5ec}}
*{box-sizing:border-box}
[hidden]{display:none!important}
html{scroll-padding-top:5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--back);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
a{color:var(--accent);text-decoration:none}
a:hover,:target h3{text-decoration:underline;text-underline-offset:.25em}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
code,pre,.route b{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.8125rem}
p{margin:.75rem 0}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;z-index:3;background:var(--back)}
.top{position:sticky;top:0;z-index:2;display:flex;align-items:center;gap:1.25rem;height:3.5rem;padding:0 1.5rem;background:var(--back);border-bottom:1px solid var(--line);font-size:.875rem}
.top a{color:var(--soft)}
.top b,nav h2 a,nav li a:hover,main :is(h2,h3) a,.errors b,.type code{color:var(--ink)}
input{flex:0 1 20rem;min-width:0;height:2.125rem;padding:0 .75rem;border:1px solid var(--line);border-radius:8px;background:var(--panel);color:inherit;font:inherit;font-size:1rem}
.brand{margin-right:auto;white-space:nowrap}
nav{position:fixed;top:3.5rem;bottom:0;width:17rem;overflow:auto;padding:1.5rem 0 4rem 1.5rem;border-right:1px solid var(--line);font-size:.875rem}
nav h2{margin:1.25rem 0 .25rem;font-size:.8125rem}
nav section:first-child h2{margin-top:0}
ul,ol{list-style:none;margin:0;padding:0}
nav li a{display:flex;justify-content:space-between;align-items:baseline;gap:.75rem;padding:.1875rem 1rem .1875rem 0;color:var(--soft)}
nav b{font-size:.6875rem}
.get,.k{color:var(--get)}.post,.s{color:var(--post)}.put,.patch,.n,em{color:var(--put)}.delete{color:var(--delete)}.mcp{color:var(--mcp)}
main{margin-left:17rem;padding:0 3rem 8rem}
main>section{max-width:80rem;margin:0 auto}
h1{margin:3rem 0 1rem;font-size:2rem;line-height:1.2;letter-spacing:-.02em}
h1 small{color:var(--soft);font-size:.875rem;font-weight:400;letter-spacing:0}
main h2{margin:2.5rem 0 .5rem;font-size:1.5rem;line-height:1.3;letter-spacing:-.015em}
.lead{padding-top:2.5rem;max-width:44rem;color:var(--soft)}
main .intro h2{font-size:1.125rem}
article{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,28rem);gap:0 3.5rem;padding:2.5rem 0;border-top:1px solid var(--line)}
.intro article{border:0;padding:0}
.intro .shown{padding-top:3.5rem}
h3{margin:0;font-size:1.125rem;line-height:1.4;letter-spacing:-.01em;text-wrap:balance}
h4{margin:1.75rem 0 .25rem;font-size:.8125rem}
.route{margin:.375rem 0 .75rem}
.route b{margin-right:.375rem}
.route code{font-size:.875rem}
.route i{font-style:normal;color:var(--accent)}
dl{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:0}
dl div{display:flex;gap:.5rem;align-items:baseline}
dd{margin:0}
article>div{min-width:0;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;font-size:.875rem;line-height:1.5}
tr{border-top:1px solid var(--line)}
tr:first-child,.inner{border:0}
th,td{padding:.625rem 0;vertical-align:top;text-align:left;font-weight:400}
th{width:42%;padding-right:1.5rem}
th>code{font-weight:600}
td p{margin:0}
em{font-style:normal;font-size:.75rem}
dl,summary,.type,.limits,.errors{font-size:.8125rem}
dt,.type,.limits,.errors a,figcaption,#none{color:var(--soft)}
.type{margin:.125rem 0}
.type code,.limits code{font-size:.75rem}
.inner>td{padding:0 0 .625rem}
details{padding-left:1rem;border-left:2px solid var(--line)}
summary{cursor:pointer;color:var(--accent);width:fit-content}
.forms>li{margin:.5rem 0;padding:.25rem 1rem;border:1px solid var(--line);border-radius:8px}
.errors a{margin-right:.75rem;white-space:nowrap}
.shown{position:sticky;top:5rem;align-self:start}
figure{margin:0 0 1rem;border:1px solid var(--line);border-radius:10px;background:var(--panel);overflow:hidden}
figcaption{display:flex;justify-content:space-between;padding:.5rem 1rem 0;font-size:.75rem}
button{border:0;padding:0;background:none;color:var(--accent);font:inherit;cursor:pointer}
pre{margin:0;padding:.5rem 1rem 1rem;overflow:auto;max-height:24rem;overflow-wrap:normal}
#none{margin:4rem 0;text-align:center}
@media(max-width:78rem){article{grid-template-columns:minmax(0,1fr)}.shown{position:static;margin-top:1.5rem}main>section{max-width:48rem}}
@media(max-width:56rem){nav{position:static;width:auto;display:flex;gap:1.25rem;padding:.75rem 1.25rem;border:0;border-bottom:1px solid var(--line)}nav h2,nav p{margin:0}nav ul{display:none}main{margin:0;padding:0 1.25rem 4rem}.top{padding:0 1.25rem}.top>a:last-child{display:none}h1{margin-top:2rem}.intro .shown{padding:0}article{padding:2rem 0}}
@media(max-width:36rem){.brand b{display:none}tr{display:block;padding:.625rem 0}th,td{display:block;width:auto;padding:0}.inner{padding:0}}
`
