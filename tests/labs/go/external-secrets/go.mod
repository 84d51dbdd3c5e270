// What takes the place of the published module's own: the program, and of its providers those of AWS and Vault (external_secrets.py).
// Built in one workspace with the labs' module, which has all else.
module github.com/external-secrets/external-secrets

go 1.26.8

require (
	github.com/hashicorp/go-secure-stdlib/awsutil v0.3.0
	github.com/hashicorp/go-uuid v1.0.3
	github.com/hashicorp/golang-lru v1.0.2
	github.com/hashicorp/vault/api/auth/approle v0.9.0
	github.com/hashicorp/vault/api/auth/aws v0.9.0
	github.com/hashicorp/vault/api/auth/kubernetes v0.9.0
	github.com/hashicorp/vault/api/auth/ldap v0.9.0
	github.com/hashicorp/vault/api/auth/userpass v0.9.0
	github.com/lestrrat-go/httprc v1.0.6
	github.com/lestrrat-go/iter v1.0.2
	github.com/lestrrat-go/jwx/v2 v2.1.6
	github.com/lestrrat-go/option v1.0.1
	github.com/tidwall/gjson v1.18.0
	github.com/tidwall/match v1.1.1
	github.com/tidwall/pretty v1.2.1
	github.com/tidwall/sjson v1.2.5
	software.sslmate.com/src/go-pkcs12 v0.5.0
)
