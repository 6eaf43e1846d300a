import {chromium} from 'playwright-core';
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--headless','--no-sandbox','--disable-gpu','--allow-file-access-from-files']});
const p=await b.newPage({viewport:{width:1300,height:1700}});
import {writeFileSync} from 'node:fs';
for(const a of process.argv.slice(2)){const [f,y,o,n]=a.split(':');
writeFileSync('/tmp/crop.html',`<body style="margin:0;display:flex;gap:10px;background:#888">`+Array.from({length:+n||1},(_,i)=>`<div style="height:1700px;overflow:hidden;flex:none"><img src="${f}" style="margin-top:-${+y+1700*i}px"></div>`).join('')+`</body>`);
await p.goto('file:///tmp/crop.html');await p.waitForTimeout(300);await p.screenshot({path:o});}
await b.close();
