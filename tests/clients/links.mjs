// Works with release links as a user of gitbeaker does; ends with an error where one would stumble.
//
// Takes URL, TOKEN and JOB_TOKEN from the environment. Expects the project mynamespace/hello with
// the releases release/1.0 and v1.0.0+größe, both without links.

import { ReleaseLinks } from '@gitbeaker/rest';
import { check, checkRefused, show } from './checks.mjs';

const { URL: host, TOKEN: token, JOB_TOKEN: jobToken } = process.env;
const project = 'mynamespace/hello';
// As they stand in the URL of a download.
const tags = { 'release/1.0': 'release%2F1.0', 'v1.0.0+größe': 'v1.0.0+gr%C3%B6%C3%9Fe' };

async function fiveOperations(links, tag, encodedTag) {
  const name = `bin ünï 📦 ${tag}`;
  const url = 'https://ex.com/a?x=1&y=2';
  const more = { directAssetPath: '/bin/a', linkType: 'package' };
  const link = await links.create(project, tag, name, url, more);
  check('the kind of its id', typeof link.id, 'number');
  const expected = {
    id: link.id,
    name,
    url,
    direct_asset_url: `${host}/${project}/-/releases/${encodedTag}/downloads/bin/a`,
    external: true,
    link_type: 'package',
  };
  check('the created link', link, expected);
  check('the link by its id', await links.show(project, tag, link.id), expected);
  check('the list', await links.all(project, tag), [expected]);

  await checkRefused(
    'a second link of the same name, URL and path',
    () => links.create(project, tag, name, url, more),
    400,
    show([
      'Url has already been taken',
      'Name has already been taken',
      'Filepath has already been taken',
    ]),
  );
  await checkRefused(
    'a link without a URL scheme',
    () => links.create(project, tag, 'n', 'ex.com/a'),
    400,
    show(['Url is blocked: Only allowed schemes are http, https, ftp']),
  );

  // The type is not sent, and goes back to its default.
  const renamed = await links.edit(project, tag, link.id, { name: 'größer' });
  Object.assign(expected, { name: 'größer', link_type: 'other' });
  check('the renamed link', renamed, expected);
  check('the renamed link by its id', await links.show(project, tag, link.id), expected);
  const edited = await links.edit(project, tag, link.id, { name: 'größer', linkType: 'image' });
  check('the edited link', edited, Object.assign(expected, { link_type: 'image' }));
  await checkRefused(
    'an edit of nothing',
    () => links.edit(project, tag, link.id),
    400,
    'name, url are missing, at least one parameter must be provided',
  );

  check('the deleted link', await links.remove(project, tag, link.id), expected);
  for (const [what, call] of [
    ['reading', () => links.show(project, tag, link.id)],
    ['updating', () => links.edit(project, tag, link.id, { name: 'n' })],
    ['deleting', () => links.remove(project, tag, link.id)],
  ]) {
    await checkRefused(`${what} a deleted link`, call, 404, '404 Not found');
  }
  check('the list after the deletion', await links.all(project, tag), []);
}

async function pages(links, tag) {
  const newestFirst = [];
  for (let number = 1; number <= 45; number += 1) {
    await links.create(project, tag, `ä ${number}`, `https://ex.com/${number}`);
    newestFirst.unshift(`ä ${number}`);
  }
  const names = (found) => found.map((link) => link.name);
  // Follows the Link header's queries.
  check('all pages', names(await links.all(project, tag)), newestFirst);
  check('all pages of seven', names(await links.all(project, tag, { perPage: 7 })), newestFirst);
  check('one page of 100', names(await links.all(project, tag, { perPage: 100 })), newestFirst);

  const page = (number, options) =>
    links.all(project, tag, { page: number, showExpanded: true, ...options });
  const first = await page(1);
  check('the default page', names(first.data), newestFirst.slice(0, 20));
  check('the numbers beside it', first.paginationInfo, {
    total: 45,
    next: 2,
    current: 1,
    previous: null,
    perPage: 20,
    totalPages: 3,
  });
  const last = await page(3);
  check('the last page', names(last.data), newestFirst.slice(40));
  check('the numbers beside it', last.paginationInfo, {
    total: 45,
    next: null,
    current: 3,
    previous: 2,
    perPage: 20,
    totalPages: 3,
  });
  const whole = await page(1, { perPage: 100 });
  check('the numbers beside a page of 100', whole.paginationInfo, {
    total: 45,
    next: null,
    current: 1,
    previous: null,
    perPage: 100,
    totalPages: 1,
  });

  for (const link of whole.data) await links.remove(project, tag, link.id);
  check('the list after all deletions', await links.all(project, tag), []);
}

async function tokens() {
  const tag = 'release/1.0';
  for (const [what, credentials] of [
    ['a job token', { jobToken }],
    ['a bearer token', { oauthToken: token }],
  ]) {
    const links = new ReleaseLinks({ host, ...credentials });
    const link = await links.create(project, tag, what, 'https://ex.com/token');
    check(`the name ${what} gave`, (await links.show(project, tag, link.id)).name, what);
    await links.remove(project, tag, link.id);
  }
  for (const [what, credentials] of [
    ['an unknown token', { token: 'glpat-unknown' }],
    ['an unknown job token', { jobToken: 'glcbt-unknown' }],
    ['an unknown bearer token', { oauthToken: 'unknown' }],
  ]) {
    const links = new ReleaseLinks({ host, ...credentials });
    const list = () => links.all(project, tag);
    await checkRefused(`a list for ${what}`, list, 401, '401 Unauthorized');
  }
  // Without a token the project is not even there.
  const list = () => new ReleaseLinks({ host }).all(project, tag);
  await checkRefused('a list for nobody', list, 404, '404 Project Not Found');
}

const links = new ReleaseLinks({ host, token });
for (const [tag, encodedTag] of Object.entries(tags)) await fiveOperations(links, tag, encodedTag);
await pages(links, 'release/1.0');
await tokens();
