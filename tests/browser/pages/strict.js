import '/probe.js';

/** What the policy of the page has forbidden, but for the icon, which nobody has asked for. */
window.forbidden = [];
document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
  if (effectiveDirective !== 'img-src') window.forbidden.push(`${effectiveDirective} ${blockedURI}`);
});

const dist = new URLSearchParams(location.search).get('dist') ?? '/dist';
window.__ready = import(`${dist}/index.js`).then((tabwire) => {
  window.tabwire = tabwire;
});
