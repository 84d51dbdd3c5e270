// Command external-secrets is the part of the External Secrets Operator that reads a namespace's stores and writes its
// Secrets: the two controllers of its own program, set up as that does, without its webhooks and cluster-wide kinds.
package main

import (
	"flag"
	"time"

	esv1 "github.com/external-secrets/external-secrets/apis/externalsecrets/v1"
	generators "github.com/external-secrets/external-secrets/apis/generators/v1alpha1"
	"github.com/external-secrets/external-secrets/pkg/controllers/common"
	"github.com/external-secrets/external-secrets/pkg/controllers/externalsecret"
	"github.com/external-secrets/external-secrets/pkg/controllers/externalsecret/esmetrics"
	"github.com/external-secrets/external-secrets/pkg/controllers/metrics"
	"github.com/external-secrets/external-secrets/pkg/controllers/secretstore"
	"github.com/external-secrets/external-secrets/pkg/controllers/secretstore/ssmetrics"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func main() {
	address := flag.String("metrics-addr", "", "where it serves metrics")
	namespace := flag.String("namespace", "", "the namespace that it looks at")
	flag.Parse()
	ctrl.SetLogger(zap.New())

	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		kubernetes.AddToScheme, apiextensions.AddToScheme, esv1.AddToScheme, generators.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	metrics.SetUpLabelNames(false)
	esmetrics.SetUpMetrics()
	ssmetrics.SetUpMetrics()

	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Scheme:  scheme,
		Metrics: server.Options{BindAddress: *address},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{*namespace: {}}},
	})
	utilruntime.Must(err)
	secrets, err := common.BuildManagedSecretClient(manager, *namespace)
	utilruntime.Must(err)
	options := controller.Options{RateLimiter: common.BuildRateLimiter()}
	utilruntime.Must((&secretstore.StoreReconciler{
		Client:          manager.GetClient(),
		Log:             ctrl.Log.WithName("SecretStore"),
		Scheme:          scheme,
		ControllerClass: "default",
		RequeueInterval: 5 * time.Minute,
	}).SetupWithManager(manager, options))
	utilruntime.Must((&externalsecret.Reconciler{
		Client:          manager.GetClient(),
		SecretClient:    secrets,
		Log:             ctrl.Log.WithName("ExternalSecret"),
		Scheme:          scheme,
		RestConfig:      manager.GetConfig(),
		ControllerClass: "default",
		RequeueInterval: time.Hour,
		EnableFloodGate: true,
	}).SetupWithManager(manager, options))
	utilruntime.Must(manager.Start(ctrl.SetupSignalHandler()))
}
