# case: app=dotnet outcome=refused
FROM mcr.microsoft.com/dotnet/sdk:3.1
WORKDIR /src
COPY . .
ENTRYPOINT ["dotnet", "run", "-c", "Release"]
