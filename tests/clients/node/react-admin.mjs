// What react-admin asks of its data provider for PostgREST, @raphiniert/ra-data-postgrest.
import assert from 'node:assert/strict'
import test from 'node:test'
import postgrest from '@raphiniert/ra-data-postgrest'
import { fetchUtils } from 'ra-core'

const provider = postgrest.default({
  apiUrl: process.env.BLOG_URL,
  httpClient: fetchUtils.fetchJson,
  defaultListOp: 'eq',
  primaryKeys: new Map([
    ['post_tags', ['post_id', 'tag_id']],
    ['profiles', ['author_id']],
  ]),
  schema: () => 'public',
})
const pagination = { page: 1, perPage: 2 }
const sort = { field: 'id', order: 'ASC' }

test('getList: a page, its total, filters and an embed', async () => {
  const list = await provider.getList('authors', { pagination, sort, filter: {} })
  assert.equal(list.total, 3)
  assert.deepEqual(list.data.map((row) => row.name), ['Ada', 'Grace'])
  const second = await provider.getList('authors', { pagination: { page: 2, perPage: 2 }, sort, filter: {} })
  assert.deepEqual(second.data.map((row) => row.name), ['Anonymous'])
  const found = await provider.getList('posts', {
    pagination,
    sort: { field: 'views', order: 'DESC' },
    filter: { 'title@ilike': 'on', 'views@gte': 20 },
    meta: { columns: ['id', 'title'], embed: ['authors'] },
  })
  assert.equal(found.total, 2)
  assert.deepEqual(found.data.map((row) => [row.id, row.authors.name]), [[1, 'Ada'], [4, 'Grace']])
  const either = await provider.getList('posts', {
    pagination,
    sort,
    filter: { '@or': { 'views@eq': 0, 'title@like': 'Compiler' } },
  })
  assert.deepEqual(either.data.map((row) => row.id), [3, 5])
})

test('getOne, getMany and getManyReference', async () => {
  const one = await provider.getOne('posts', { id: 3, meta: { prefetch: ['tags'] } })
  assert.equal(one.data.title, 'The Compiler')
  assert.deepEqual(one.meta.prefetched.tags, [{ id: 2, label: 'machines' }])
  const many = await provider.getMany('tags', { ids: [1, 3] })
  assert.deepEqual(many.data, [{ id: 1, label: 'science' }, { id: 3, label: 'poetry' }])
  const posts = await provider.getManyReference('posts', { target: 'author_id', id: 2, pagination, sort, filter: {} })
  assert.deepEqual([posts.total, posts.data.map((row) => row.id)], [2, [3, 4]])
  await assert.rejects(provider.getOne('posts', { id: 99 }), (error) => error.status === 406 && error.body.code === 'PGRST116')
})

test('create, update and delete', async () => {
  const { data: created } = await provider.create('authors', { data: { name: 'Barbara', born: '1939-11-07' } })
  assert.deepEqual([created.name, created.active], ['Barbara', true])
  const { data: updated } = await provider.update('authors', {
    id: created.id,
    data: { ...created, email: 'barbara@example.com' },
    previousData: created,
  })
  assert.deepEqual(updated, { ...created, email: 'barbara@example.com' })
  const { data: deleted } = await provider.delete('authors', { id: created.id, previousData: updated })
  assert.deepEqual(deleted, updated)
  await assert.rejects(provider.create('authors', { data: { name: 'Ada' } }), (error) => error.status === 409)
})

test('updateMany and deleteMany', async () => {
  const ids = []
  for (const title of ['One', 'Two']) {
    ids.push((await provider.create('posts', { data: { author_id: 1, title } })).data.id)
  }
  await provider.updateMany('posts', { ids, data: { views: 5 } })
  const changed = await provider.getMany('posts', { ids })
  assert.deepEqual(changed.data.map((row) => row.views), [5, 5])
  await provider.deleteMany('posts', { ids })
  assert.deepEqual((await provider.getMany('posts', { ids })).data, [])
})

test('keys that are not called id, or have two columns', async () => {
  const profile = await provider.getOne('profiles', { id: 2 })
  assert.deepEqual(profile.data, { id: 2, author_id: 2, bio: 'Wrote the first compiler.' })
  const list = await provider.getList('post_tags', { pagination, sort, filter: {} })
  assert.deepEqual([list.total, list.data.map((row) => row.id)], [5, ['[1,1]', '[1,2]']])
  const { data: added } = await provider.create('post_tags', { data: { post_id: 5, tag_id: 3 } })
  assert.equal(added.id, '[5,3]')
  const both = await provider.getMany('post_tags', { ids: ['[5,3]', '[1,2]'] })
  assert.deepEqual(both.data.map((row) => row.id), ['[1,2]', '[5,3]'])
  await provider.delete('post_tags', { id: '[5,3]', previousData: added })
})
