// Publishes a release with two links by gitbeaker: again.mjs URL KIND TOKEN TAG LINK_URL.

import { ProjectReleases, ReleaseLinks } from '@gitbeaker/rest';

const [host, kind, token, tag, url] = process.argv.slice(2);
const project = 'mynamespace/hello';
const app = { name: 'app', url, directAssetPath: '/bin/app', linkType: 'package' };
await new ProjectReleases({ host, [kind]: token }).create(project, { tagName: tag, assets: { links: [app] } });
await new ReleaseLinks({ host, [kind]: token }).create(project, tag, 'more', `${url}.more`, { linkType: 'package' });
