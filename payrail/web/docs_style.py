"""How the page of operations looks: one column to read, quiet colours, light and dark."""

CSS = """
:root{--ink:#1d2430;--soft:#5c6675;--rule:#e1e5ea;--paper:#fff;--card:#fff;--tint:#f5f6f8;
--get:#1f6f8b;--post:#8a5a00;--del:#a3333d}
@media(prefers-color-scheme:dark){:root{--ink:#e4e7ec;--soft:#9aa4b2;--rule:#2c323c;
--paper:#14171c;--card:#1d2129;--tint:#1b1f26;--get:#7cc4dd;--post:#e0b15e;--del:#ef8f98}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,
-apple-system,"Segoe UI",sans-serif;display:grid;grid-template-columns:13rem minmax(0,58rem);
gap:3rem;padding:0 2rem;font-variant-numeric:tabular-nums}
nav{position:sticky;top:0;max-height:100vh;overflow:auto;padding:3.4rem 0 2rem;align-self:start}
nav a{display:block;padding:.2rem 0;color:var(--soft);text-decoration:none;font-size:.9rem}
nav a:hover,nav a:focus{color:var(--ink)}
main{padding:2.6rem 0 6rem}
h1{font-size:2.1rem;line-height:1.2;letter-spacing:-.02em;margin:.2rem 0 1rem}
h2{font-size:1.25rem;letter-spacing:-.01em;margin:3rem 0 .6rem}
h4{font-size:.95rem;margin:1.4rem 0 .3rem}
header p{max-width:42rem;margin:.6rem 0}
section>p{max-width:42rem}
a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:.2em}
code,pre{font:.87em/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace}
pre{background:var(--tint);border-radius:.5rem;padding:.9rem 1.1rem;overflow:auto;max-height:24rem}
details{border-top:1px solid var(--rule)}
section>details:last-child{border-bottom:1px solid var(--rule)}
summary{display:grid;grid-template-columns:4.2rem minmax(14rem,1.25fr) 1fr;gap:.8rem;
padding:.5rem 0;cursor:pointer;list-style:none;align-items:baseline}
#events summary{grid-template-columns:16rem 1fr}
summary::-webkit-details-marker{display:none}
summary:hover code{text-decoration:underline;text-underline-offset:.25em}
summary code{overflow-wrap:anywhere}
summary span{color:var(--soft);font-size:.92rem}
summary b{font-size:.72rem;letter-spacing:.06em;color:var(--get)}
summary .POST,summary .PATCH,summary .PUT{color:var(--post)}
summary .DELETE{color:var(--del)}
details>div{padding:0 0 1.6rem 5rem}
#events details>div{padding-left:0}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.34rem 1rem .34rem 0;
border-bottom:1px solid var(--rule)}
th{color:var(--soft);font-weight:500}
td:first-child{white-space:nowrap}
i{color:var(--soft);font-size:.82rem}
tr:target{background:var(--tint)}
figure{margin:1.4rem 0;overflow-x:auto}
figcaption{color:var(--soft);font-size:.9rem}
figure svg{max-width:100%;height:auto}
@media(max-width:60rem){body{display:block;padding:0 1rem}nav{display:none}
summary{grid-template-columns:4rem 1fr}summary span{grid-column:2}
#events summary{grid-template-columns:1fr}#events summary span{grid-column:1}
details>div{padding-left:0}table{display:block;overflow-x:auto}}
@media print{nav{display:none}body{display:block}}
""".replace("\n", "")
