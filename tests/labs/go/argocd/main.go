// Command argocd is the parts of Argo CD that deploy, in one program: it is what it is called as. Called as argocd, it does
// without a cluster what these would: it makes the Application of an ApplicationSet's template, and says what a project
// permits. Then it reads JSON and writes JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/argoproj/argo-cd/v3/applicationset/utils"
	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationset "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

type resource struct {
	Group, Kind, Namespace, Name string
}

type input struct {
	// For the verb render.
	ApplicationSet v1alpha1.ApplicationSet
	Parameters     map[string]any
	// For the verb refused.
	Project     v1alpha1.AppProject
	Application v1alpha1.Application
	Resources   []resource
}

func render(in input) (any, error) {
	spec := in.ApplicationSet.Spec
	template := v1alpha1.Application{Spec: spec.Template.Spec}
	template.Name, template.Finalizers = spec.Template.Name, spec.Template.Finalizers
	renderer := utils.Render{}
	return renderer.RenderTemplateParams(&template, spec.SyncPolicy, in.Parameters, spec.GoTemplate, spec.GoTemplateOptions)
}

func refused(in input) (any, error) {
	found := []string{}
	none := func(string) ([]*v1alpha1.Cluster, error) { return nil, nil }
	if spec := in.Application.Spec; !in.Project.IsSourcePermitted(spec.GetSource()) {
		found = append(found, "source "+spec.GetSource().RepoURL)
	}
	cluster := &v1alpha1.Cluster{Server: in.Application.Spec.Destination.Server}
	permitted, err := in.Project.IsDestinationPermitted(cluster, in.Application.Spec.Destination.Namespace, none)
	if err != nil {
		return nil, err
	}
	if !permitted {
		found = append(found, "destination "+in.Application.Spec.Destination.Namespace)
	}
	for _, one := range in.Resources {
		kind := schema.GroupKind{Group: one.Group, Kind: one.Kind}
		permitted, err := in.Project.IsResourcePermitted(kind, one.Name, one.Namespace, cluster, none)
		if err != nil {
			return nil, err
		}
		if !permitted {
			found = append(found, fmt.Sprintf("%s %s/%s", one.Kind, one.Namespace, one.Name))
		}
	}
	return found, nil
}

func main() {
	parts := map[string]func() *cobra.Command{
		common.CommandApplicationController:    controller.NewCommand,
		common.CommandApplicationSetController: applicationset.NewCommand,
		common.CommandRepoServer:               reposerver.NewCommand,
	}
	if part := parts[filepath.Base(os.Args[0])]; part != nil {
		if part().Execute() != nil {
			os.Exit(1)
		}
		return
	}
	verbs := map[string]func(input) (any, error){"render": render, "refused": refused}
	if len(os.Args) != 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: argocd render|refused <input.json")
		os.Exit(2)
	}
	var in input
	err := json.NewDecoder(os.Stdin).Decode(&in)
	if err == nil {
		var out any
		if out, err = verbs[os.Args[1]](in); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
