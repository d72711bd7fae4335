// A real OpenID provider for tests: npm `oidc-provider`, with people who come from headers of the test's browser
// (`x-account` names them, `x-claims` says what is known of them, `x-amr` how they proved it).
//   node oidc-provider.mjs PORT '{"clients": […], "jwks": {"keys": […]}}'
import { createServer } from 'node:http'
import Provider, { errors } from 'oidc-provider'

const port = Number(process.argv[2])
const given = JSON.parse(process.argv[3])
const issuer = `http://127.0.0.1:${port}`
const people = new Map()

const provider = new Provider(issuer, {
  clients: given.clients,
  jwks: given.jwks,
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options), // it would not call this machine
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  cookies: { keys: ['only for tests'] },
  claims: {
    openid: ['sub', 'sid', 'amr'],
    profile: ['name', 'preferred_username', 'groups', 'device_compliant'],
    email: ['email']
  },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => { ctx.body = `<html><body>${form}</body></html>` }
    }
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) })
})

async function interact (request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response)
  if (prompt.name === 'login') {
    const accountId = request.headers['x-account']
    people.set(accountId, JSON.parse(request.headers['x-claims'] ?? '{}'))
    const amr = (request.headers['x-amr'] ?? 'pwd').split(' ')
    return provider.interactionFinished(request, response, { login: { accountId, amr } })
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope('openid profile email')
  const grantId = await grant.save()
  return provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true })
}

provider.on('backchannel.error', (_, error) => console.error(error))
provider.on('server_error', (_, error) => console.error(error))

const callback = provider.callback()
const server = createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) return callback(request, response)
  return interact(request, response).catch((error) => {
    response.statusCode = error instanceof errors.OIDCProviderError ? 400 : 500
    response.end(String(error))
  })
})
server.listen(port, '127.0.0.1', () => console.log('ready'))
