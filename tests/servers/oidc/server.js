// oidc-provider as a hospital's authorization server; it knows nothing of SMART's launch context.
// One argument: {"issuer", "fhir", "client", "secret", "redirect", "scopes", "services", "keys", "modules"} as JSON.
// Who logs in is the login_hint of the request: the chart has logged the user in already.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

const settings = JSON.parse(process.argv[2]);
const { Provider } = await import(`${settings.modules}/oidc-provider/lib/index.js`);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(settings.issuer, {
  clients: [
    {
      client_id: settings.client,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [settings.redirect],
    },
    {
      client_id: 'front',
      client_secret: settings.secret,
      grant_types: [],
      redirect_uris: [],
      response_types: [],
    },
    ...Object.entries(settings.services).map(([client_id, alg]) => ({
      client_id,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: alg,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      jwks: settings.keys,
    })),
  ],
  enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }] },
  scopes: settings.scopes,
  claims: { openid: ['sub'], fhirUser: ['fhirUser', 'name'] },
  conformIdTokenClaims: false, // the id_token itself has the claims, as SMART wants it
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, fhirUser: `${settings.fhir}/${id}`, name: 'Kari Nilsen' }),
  }),
  // nobody is asked for consent: the hospital has registered the app
  loadExistingGrant: async (ctx) => {
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope(settings.scopes.join(' '));
    await grant.save();
    return grant;
  },
  issueRefreshToken: async (_ctx, _client, code) => code.scopes.has('online_access'),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: [settings.secret] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 60, RefreshToken: 3600, Session: 3600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
});
provider.proxy = true; // its addresses are the front's
const answer = provider.callback();

createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  const { params } = await provider.interactionDetails(request, response);
  return provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
}).listen(0, '127.0.0.1', function ready() {
  console.log(`READY ${this.address().port}`);
});
