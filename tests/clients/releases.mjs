// Works with releases as a user of gitbeaker does; ends with an error where one would stumble.
//
// Takes URL, TOKEN and JOB_TOKEN from the environment. Expects the project mynamespace/hello without
// releases.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { ProjectReleases, ReleaseLinks } from '@gitbeaker/rest';
import { check, checkRefused } from './checks.mjs';

const { URL: host, TOKEN: token, JOB_TOKEN: jobToken } = process.env;
const project = 'mynamespace/hello';
const unknownCommit = '0'.repeat(40);
// As they stand in the URL of a page, and in a query.
const tags = {
  'release/1.0': ['release%2F1.0', 'release%2F1.0'],
  'v1.0.0+größe': ['v1.0.0+gr%C3%B6%C3%9Fe', 'v1.0.0%2Bgr%C3%B6%C3%9Fe'],
};

function expectedRelease(release, tag, links) {
  const [inPath, inQuery] = tags[tag];
  const page = `${host}/${project}/-/releases/${inPath}`;
  const pages = (what, state) =>
    `${host}/${project}/-/${what}?release_tag=${inQuery}&scope=all&state=${state}`;
  const made = release.created_at;
  check('when the release was made', new Date(made).toISOString(), made);
  return {
    name: `Größe ${tag}`,
    tag_name: tag,
    description: '# a & b\n\n<ü> 📦',
    created_at: made,
    released_at: made,
    upcoming_release: false,
    author: {
      id: 1,
      username: 'root',
      name: 'root',
      state: 'active',
      locked: false,
      avatar_url: null,
      web_url: `${host}/root`,
    },
    commit: {
      id: unknownCommit,
      short_id: unknownCommit.slice(0, 8),
      created_at: made,
      parent_ids: [],
      title: `Größe ${tag}`,
      message: `Größe ${tag}`,
      author_name: 'root',
      author_email: '1-root@users.noreply.127.0.0.1',
      authored_date: made,
      committer_name: 'root',
      committer_email: '1-root@users.noreply.127.0.0.1',
      committed_date: made,
      trailers: {},
      extended_trailers: {},
      web_url: `${host}/${project}/-/commit/${unknownCommit}`,
    },
    commit_path: `/${project}/-/commit/${unknownCommit}`,
    tag_path: `/${project}/-/tags/${inPath}`,
    assets: { count: links.length, sources: [], links },
    _links: {
      closed_issues_url: pages('issues', 'closed'),
      closed_merge_requests_url: pages('merge_requests', 'closed'),
      edit_url: `${page}/edit`,
      merged_merge_requests_url: pages('merge_requests', 'merged'),
      opened_issues_url: pages('issues', 'opened'),
      opened_merge_requests_url: pages('merge_requests', 'opened'),
      self: page,
    },
  };
}

async function wholeLife(releases, tag, fileUrl) {
  await checkRefused('reading a missing one', () => releases.show(project, tag), 404, '404 Not Found');
  const options = {
    tagName: tag,
    name: `Größe ${tag}`,
    description: '# a & b\n\n<ü> 📦',
    ref: 'main',
    assets: {
      links: [
        { name: 'bin ünï 📦', url: fileUrl, directAssetPath: '/bin/a', linkType: 'package' },
        { name: 'notes', url: 'https://ex.com/notes' },
      ],
    },
  };
  const release = await releases.create(project, options);
  // The newest link, which is the last one, comes first.
  const [notes, file] = release.assets.links;
  const links = [
    {
      id: notes.id,
      name: 'notes',
      url: 'https://ex.com/notes',
      direct_asset_url: 'https://ex.com/notes',
      external: true,
      link_type: 'other',
    },
    {
      id: file.id,
      name: 'bin ünï 📦',
      url: fileUrl,
      direct_asset_url: `${host}/${project}/-/releases/${tags[tag][0]}/downloads/bin/a`,
      external: true,
      link_type: 'package',
    },
  ];
  const expected = expectedRelease(release, tag, links);
  check('the created release', release, expected);
  check('the release by its tag', await releases.show(project, tag), expected);
  check('the list', await releases.all(project), [expected]);
  check('the latest release', await releases.showLatest(project), expected);
  check('its links', await new ReleaseLinks({ host, token }).all(project, tag), links);

  // Both follow what leads to the file; the slash in its path goes out encoded.
  check('the file', await releases.download(project, tag, 'bin/a'), 'the file');
  check('the latest file', await releases.downloadLatest(project, 'bin/a'), 'the file');
  await checkRefused(
    'a download of nothing',
    () => releases.download(project, tag, 'bin/b'),
    404,
    '404 Not found',
  );

  await checkRefused(
    'a second release of the same tag',
    () => releases.create(project, options),
    409,
    'Release already exists',
  );
  await checkRefused(
    'a release with two links of one name',
    () =>
      releases.create(project, {
        tagName: 'v2',
        assets: {
          links: [
            { name: 'n', url: 'https://ex.com/1' },
            { name: 'n', url: 'https://ex.com/2' },
          ],
        },
      }),
    400,
    'Validation failed: Links have duplicate values (n)',
  );

  const edited = await releases.edit(project, tag, { name: 'größer' });
  Object.assign(expected.commit, { title: 'größer', message: 'größer' });
  check('the edited release', edited, Object.assign(expected, { name: 'größer' }));
  check('the edited release by its tag', await releases.show(project, tag), expected);
  await checkRefused(
    'an edit of nothing',
    () => releases.edit(project, tag),
    400,
    'params is empty',
  );

  check('the deleted release', await releases.remove(project, tag), expected);
  for (const [what, call, status, description] of [
    ['reading', () => releases.show(project, tag), 404, '404 Not Found'],
    ['editing', () => releases.edit(project, tag, { name: 'n' }), 403, '403 Forbidden'],
    ['removing', () => releases.remove(project, tag), 403, '403 Forbidden'],
  ]) {
    await checkRefused(`${what} a deleted release`, call, status, description);
  }
  check('the list after the deletion', await releases.all(project), []);
}

async function pages(releases) {
  const latestFirst = [];
  for (let number = 1; number <= 25; number += 1) {
    const tagName = `v${number}`;
    const releasedAt = new Date(Date.UTC(2026, 0, number)).toISOString();
    await releases.create(project, { tagName, releasedAt });
    latestFirst.unshift(tagName);
  }
  const names = (found) => found.map((release) => release.tag_name);
  check('all pages', names(await releases.all(project)), latestFirst);
  check('all pages of seven', names(await releases.all(project, { perPage: 7 })), latestFirst);
  const oldestFirst = await releases.all(project, { orderBy: 'created_at', sort: 'asc' });
  check('all by when they were made', names(oldestFirst), latestFirst.toReversed());
  for (const tag of latestFirst) await releases.remove(project, tag);
  check('the list after all deletions', await releases.all(project), []);
}

async function tokens() {
  for (const [what, credentials] of [
    ['a job token', { jobToken }],
    ['a bearer token', { oauthToken: token }],
  ]) {
    const releases = new ProjectReleases({ host, ...credentials });
    const release = await releases.create(project, { tagName: 'v1', name: what });
    check(`the release ${what} made`, await releases.show(project, 'v1'), release);
    await releases.edit(project, 'v1', { description: what });
    check(`what ${what} wrote`, (await releases.remove(project, 'v1')).description, what);
  }
  const list = () => new ProjectReleases({ host, token: 'glpat-unknown' }).all(project);
  await checkRefused('a list for an unknown token', list, 401, '401 Unauthorized');
}

// The URL of the files.
const files = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/plain' }).end('the file');
});
await once(files.listen(0, '127.0.0.1'), 'listening');
const fileUrl = `http://127.0.0.1:${files.address().port}/a?x=1&y=2`;

const releases = new ProjectReleases({ host, token });
for (const tag of Object.keys(tags)) await wholeLife(releases, tag, fileUrl);
await pages(releases);
await tokens();
files.closeAllConnections();
files.close();
